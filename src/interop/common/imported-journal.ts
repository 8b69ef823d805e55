/** The journal of an imported run: events like those of a search, with the times from the log. */
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { exitCodes } from '../../base/errors.ts';
import { estimateTokens } from '../../base/tokens.ts';
import { plainReply } from '../../llm/chat.ts';
import type { EventBody, LoggedTotals } from '../../runs/journal/events.ts';
import { type RecordEnd, RecordLines } from '../../runs/journal/record.ts';
import { RunTotals } from '../../runs/journal/totals.ts';
import type { ReadIteration } from '../reference/iteration.ts';
import type { Exchange } from '../reference/text.ts';

type BodyOf<T extends EventBody['type']> = Extract<EventBody, { type: T }>;
type StartFacts = Pick<BodyOf<'run_started'>, 'config_hash' | 'backend' | 'model' | 'model_kind'>;

/** Appends events with non-decreasing times. */
export class ImportedJournal {
  readonly totals = new RunTotals();
  private readonly fd: number;
  private readonly start: number;
  readonly replyModel: string;
  private time = 0;
  private readonly lines: RecordLines;

  /** `start`: in milliseconds since 1970; `replyModel`: model that wrote the replies */
  constructor(path: string, start: number, replyModel: string) {
    this.fd = openSync(path, 'wx');
    this.lines = new RecordLines(path);
    this.start = start;
    this.replyModel = replyModel;
  }

  /** Sets the time of the next events, s since the start. */
  at(seconds: number): void {
    this.time = Math.max(this.time, Math.min(Math.max(seconds, 0), 1e9));
  }

  /** Appends the events before the first iteration. */
  begin(imported: Omit<BodyOf<'imported'>, 'type'>, { config_hash, backend, model, model_kind }: StartFacts): void {
    this.append({ type: 'imported', ...imported });
    this.append({ type: 'run_started', resumed: false, config_hash, backend, adapter: null, model, model_kind });
  }

  /** Appends the last event. `reason`: why the run ended early; null: it did not */
  finish(reason: string | null): void {
    if (reason === null) this.append({ type: 'run_finished' });
    else this.append({ type: 'run_stopped', reason, exit_code: exitCodes.interrupted });
  }

  append(body: EventBody): void {
    const time = new Date(this.start + this.time * 1000).toISOString();
    const { line, event } = this.lines.make(body, time);
    writeFileSync(this.fd, line);
    this.totals.add(event);
  }

  get end(): RecordEnd {
    return this.lines.end;
  }

  close(): void {
    fsyncSync(this.fd);
    closeSync(this.fd);
  }
}

/** Appends the events of one iteration. `seconds`: total time of its calls. */
export function appendIteration(
  journal: ImportedJournal,
  iteration: number,
  { kept, winner, exchanges, candidates }: ReadIteration,
  logged: LoggedTotals | undefined,
  seconds: number,
): void {
  for (const exchange of exchanges) {
    journal.append(callOf(iteration, exchange, journal.replyModel, seconds / exchanges.length));
  }
  for (const { label, params, rollouts, summary } of candidates) {
    if (!rollouts || !summary) continue;
    const { returns, lengths } = rollouts;
    const played = { params, adjustments: [], seed: 0, summary, paired: null, rollouts: { returns, lengths } };
    journal.append({ type: 'evaluated', iteration, candidate: label, ...played });
  }
  if (logged) journal.at(logged.cpu_s + logged.api_s);
  const won = candidates.find(({ label }) => label === kept);
  journal.append({
    type: 'iteration',
    iteration,
    kept,
    why: kept === null ? 'the log does not say which was kept' : `the log says so${winner ? `: ${winner}` : ''}`,
    candidates: candidates.map(({ label, params, mean }) => ({ label, params, mean })),
    trial: won ? { kind: 'iteration', params: won.params, mean: won.mean } : null,
    ...(logged && { logged }),
  });
}

function callOf(
  iteration: number,
  { purpose, prompt, reply: text }: Exchange,
  model: string,
  latencySeconds: number,
): EventBody {
  const usage = { promptTokens: estimateTokens(prompt), completionTokens: estimateTokens(text) };
  return {
    type: 'llm_call',
    iteration,
    purpose,
    attempt: 0,
    request: { messages: [{ role: 'user', content: prompt }], temperature: null, seed: null, form: 'lines' },
    reply: plainReply({ text, usage, latencySeconds, requests: 1, model, finish: 'unknown', finishReason: null }),
  };
}
