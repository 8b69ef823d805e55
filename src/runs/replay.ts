/** A run played again from its recorded replies, without a model, and compared with its journal. Writes nothing. */
import { checkArgument, having } from '../base/arguments.ts';
import { DiffersError, R2poError, UsageError } from '../base/errors.ts';
import type { ChatModel, Message } from '../llm/chat.ts';
import { offline, offlineUsage } from '../llm/offline/index.ts';
import { type ReplayOptions, replayModel } from '../llm/replay.ts';
import { aBackend, type Backend } from '../rollout/backend.ts';
import { sharedParts } from './branch/shared-parts.ts';
import { refuseImported } from './folder/folder.ts';
import type { Manifest } from './folder/manifest.ts';
import { changedSource } from './folder/module-source.ts';
import { readRun } from './folder/read-run.ts';
import { firstDifference, type Tolerance } from './journal/difference.ts';
import type { RunEvent } from './journal/events.ts';
import { asRead, type BodyOf } from './journal/events.ts';
import { type EventLog, walkEvents } from './journal/journal.ts';
import { isStep, type StepBody, type StepEvent, type StepLog, stepName } from './journal/steps.ts';
import { oneModel } from './models/models.ts';
import { type RunUnits, resolveUnits } from './resolve-units.ts';
import { SearchLength } from './session/search-length.ts';

export interface RecordedRun {
  readonly folder: string;
  readonly units: RunUnits;
  readonly manifest: Manifest;
  readonly log: EventLog;
  /** of the first session: what the episodes were played on */
  readonly backend: string;
  /** how the environment's code differs from that of the run, in words; null: it does not, as far as that is known */
  readonly changed: string | null;
}

/** Reads a run for replay. Throws a usage error when the folder is not a run, is damaged, or holds nothing to replay. */
export async function openRecordedRun(folder: string): Promise<RecordedRun> {
  const run = readRun(folder);
  const { manifest } = run;
  refuseImported(folder, manifest, 'replay');
  const units = resolveUnits(await run.config());
  const log = run.events();
  const first = log.events.find((event) => event.type === 'run_started');
  if (!first)
    throw new UsageError('replay', `expected events in "${folder}", got an empty record; resume that run first`);
  return {
    folder,
    units,
    manifest,
    log,
    backend: first.backend,
    changed: changedSource(manifest, units.env, units.method),
  };
}

/** The texts that the call of a journal with this position sent. */
function sentIn(folder: string, position: number): readonly Message[] {
  let passed = 0;
  for (const { messages } of walkEvents(folder)) {
    if (messages !== null && passed++ === position) return messages;
  }
  throw new R2poError('replay', `expected more than ${passed} calls in "${folder}", got no call ${position + 1}`);
}

/** What answers with the model calls of a journal, in order. */
function replayOf(folder: string, events: readonly RunEvent[], options: Omit<ReplayOptions, 'sentIn'>): ChatModel {
  const calls = events.filter((event) => event.type === 'llm_call');
  return replayModel(calls, { ...options, sentIn: (position) => sentIn(folder, position) });
}

/** The model `replay:<folder>`: the replies of another run, as long as the prompts are the recorded ones. */
export function recordedModel(folder: string): ChatModel {
  const run = readRun(folder);
  refuseImported(folder, run.manifest, 'replay');
  return replayOf(folder, run.events().events, { id: `replay:${folder}` });
}

/** What a replay did again, and found equal. */
export interface ReplayReport {
  /** events that were done again and compared */
  readonly warmups: number;
  readonly calls: number;
  readonly evaluations: number;
  readonly iterations: number;
  readonly rechecked: boolean;
  /** calls whose prompt this version words differently, where that was allowed; the replies are the recorded ones */
  readonly rewordedPrompts: number;
  /** false: the journal ends before the run does, and was replayed up to there */
  readonly complete: boolean;
  /** in words, with the place; null: the replay equals the journal bit for bit */
  readonly difference: string | null;
}

/** The journal ends here; later steps have nothing to be compared with. */
class EndOfRecord extends Error {}
/** The first difference was found. */
class Differs extends Error {}

/**
 * What of an event must be equal: not its time, and of a call neither how long it took nor what failed before. `words`: whether prompts, and what this
 * program says of a reply, count.
 */
function comparable({ time: _time, seq: _seq, ...body }: StepEvent, words: boolean): unknown {
  if (body.type === 'parse_failed' && !words) return { ...body, problem: '' };
  if (body.type === 'evaluated' && !words) return { ...body, adjustments: [] };
  if (body.type !== 'llm_call') return body;
  const { request, reply, failed_usage: _billed, ...call } = body;
  const { messages, form: _recorded, ...settings } = request;
  const { promptTokens, completionTokens } = reply.usage;
  const usage = { completionTokens, ...(words && { promptTokens }) };
  return { ...call, request: { ...settings, ...(words && { messages }) }, reply: { text: reply.text, usage } };
}

/** A call with the counts of tokens that follow from its texts; those of an endpoint are taken from the record. */
function counted(body: BodyOf<'llm_call'>): BodyOf<'llm_call'> {
  const { request, reply } = body;
  if (reply.model !== offline.id) return body;
  return { ...body, reply: { ...reply, usage: { ...reply.usage, ...offlineUsage(request.messages, reply.text) } } };
}

/**
 * Bounds and p values follow from what was played, which must be equal to the bit. The quantiles of earlier versions err
 * by up to 4e-8 of an interval's half width and 3e-7 of p, and a half width may be several times the bound.
 */
export const toleratesBounds: Tolerance = (path, expected, got) =>
  /(?:^|\.)(?:ci95\[[01]\]|p)$/.test(path) && Math.abs(expected - got) <= 1e-6 * Math.max(1, Math.abs(expected));

/** A step log that repeats every step, and compares it with the journal. */
class ComparingStepLog implements StepLog {
  position = 0;
  rewordedPrompts = 0;
  private readonly record: readonly StepEvent[];
  private readonly words: boolean;

  constructor(record: readonly StepEvent[], words: boolean) {
    this.record = record;
    this.words = words;
  }

  upcoming(): null {
    return null;
  }

  async next(): Promise<null> {
    if (this.position >= this.record.length) throw new EndOfRecord();
    return null;
  }

  async append(body: StepBody): Promise<StepEvent> {
    const expected = this.record[this.position]!;
    const got = asRead(body.type === 'llm_call' ? counted(body) : body, expected) as StepEvent;
    const difference = firstDifference(
      comparable(expected, this.words),
      comparable(got, this.words),
      '',
      toleratesBounds,
    );
    if (difference) {
      const where = `seq ${expected.seq} (${stepName(expected)})`;
      throw new Differs(`at ${where}: expected ${difference.path} ${difference.expected}, got ${difference.got}`);
    }
    if (expected.type === 'llm_call' && got.type === 'llm_call') {
      if (firstDifference(expected.request.messages, got.request.messages)) this.rewordedPrompts += 1;
    }
    this.position += 1;
    return got;
  }
}

/**
 * Plays a recorded run again on `backend` and compares every event with the journal, up to its end or the
 * first difference. A prompt that is not the recorded one is a difference, shown line by line, unless `prompts` allows it.
 */
export async function replayRun(
  run: RecordedRun,
  backend: Backend,
  options: { readonly prompts?: 'must-match' | 'may-differ'; readonly signal?: AbortSignal } = {},
): Promise<ReplayReport> {
  checkArgument('replayRun', 'run', run, having('a run, as openRecordedRun gives it', 'units', 'log'));
  checkArgument('replayRun', 'backend', backend, aBackend);
  const { units, log } = run;
  const record = log.events.filter(isStep);
  const steps = new ComparingStepLog(record, options.prompts !== 'may-differ');
  let difference: string | null = null;
  try {
    const shared = sharedParts(units, log.events, run.manifest);
    const models = oneModel(replayOf(run.folder, log.events, { prompts: options.prompts ?? 'must-match' }));
    await units.driver.run({
      units: { ...units, backend, models },
      ...(shared.length > 0 && { shared }),
      steps,
      recordedWarmups: record.filter((event) => event.type === 'warmup'),
      length: new SearchLength(log.events),
      signal: options.signal,
      checkBudget: () => {},
      withinTime: (waiting) => waiting,
      onIteration: async () => {},
    });
    const rest = record[steps.position];
    if (rest) difference = `at seq ${rest.seq}: expected ${stepName(rest)}, got the end of the run`;
  } catch (thrown) {
    if (thrown instanceof Differs) difference = thrown.message;
    else if (thrown instanceof DiffersError) difference = thrown.detail;
    else if (!(thrown instanceof EndOfRecord)) throw thrown;
  }
  const done = record.slice(0, steps.position);
  const count = (type: StepEvent['type']) => done.filter((event) => event.type === type).length;
  return {
    warmups: count('warmup'),
    calls: count('llm_call'),
    evaluations: count('evaluated'),
    iterations: count('iteration'),
    rechecked: count('rechecked') > 0,
    rewordedPrompts: steps.rewordedPrompts,
    complete: log.events.some((event) => event.type === 'run_finished'),
    difference,
  };
}
