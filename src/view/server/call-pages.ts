/** One call of a run with the texts that were sent, which the record has as changes of the texts before them. */
import { nextTurn } from '../../base/async.ts';
import { proposedPlaces } from '../../config/optimisation.ts';
import type { Message } from '../../llm/chat.ts';
import { judgeReply } from '../../methods/judge.ts';
import type { EventOf } from '../../runs/journal/events.ts';
import { RecordWalk } from '../../runs/journal/journal.ts';
import type { CallPage } from '../api/run.ts';
import { callRowOf, type RunReading } from './run-reading.ts';

type Restored = Omit<CallPage, 'call' | 'sets'> & {
  readonly event: EventOf<'llm_call'>;
  /** why the reply could not be used, where the walk has come so far; null: it was used */
  problem: string | null;
};

/** Calls that are kept for a page that goes back and forth. */
const keptCalls = 64;
/** ms after which other requests get their turn. */
const turnMs = 20;

/** Reads the calls of one record from its first on; a later call is read on from the one before. */
class CallWalk {
  readonly #walk: RecordWalk;
  #lines: ReturnType<RecordWalk['lines']>;
  readonly #latest = new Map<string, readonly Message[]>();
  readonly #kept = new Map<number, Restored>();
  /** `seq` of the line that was read last */
  at = -1;

  constructor(folder: string) {
    this.#walk = new RecordWalk(folder);
    this.#lines = this.#walk.lines();
  }

  get isReplaced(): boolean {
    return this.#walk.isReplaced;
  }

  known(seq: number): Restored | undefined {
    return this.#kept.get(seq);
  }

  async find(seq: number): Promise<Restored | null> {
    let turn = performance.now();
    let hasGrown = true;
    while (this.at < seq) {
      const { done, value } = this.#lines.next();
      if (done) {
        if (!hasGrown) return null;
        // The record may have grown: a run that goes on is not read again from its start for each of its calls.
        this.#lines = this.#walk.lines();
        hasGrown = false;
        continue;
      }
      hasGrown = true;
      this.at += 1;
      if (value.event?.type === 'llm_call' && value.messages !== null) this.#add(value.event, value.messages);
      if (value.event?.type === 'parse_failed') this.#addProblem(value.event);
      if (performance.now() - turn < turnMs) continue;
      await nextTurn();
      turn = performance.now();
    }
    return this.#kept.get(seq) ?? null;
  }

  #addProblem({ iteration, purpose, attempt, problem }: EventOf<'parse_failed'>): void {
    const call = [...this.#kept.values()].findLast(
      ({ event }) => event.iteration === iteration && event.purpose === purpose && event.attempt === attempt,
    );
    if (call) call.problem = problem;
  }

  #add(event: EventOf<'llm_call'>, messages: readonly Message[]): void {
    const { purpose, request, reply, seq } = event;
    this.#kept.set(seq, {
      event,
      problem: null,
      messages: messages.map(({ role, content }) => ({ role, content })),
      previous: this.#latest.get(purpose)?.map(({ role, content }) => ({ role, content })) ?? null,
      reply: reply.text,
      reasoning: reply.reasoning,
      temperature: request.temperature,
      form: request.form,
      rateLimits: { ...reply.rateLimits },
    });
    this.#latest.set(purpose, messages);
    const [first] = this.#kept.keys();
    if (this.#kept.size > keptCalls) this.#kept.delete(first!);
  }

  close(): void {
    this.#lines.return(undefined);
  }
}

/** The parameter sets of a reply, as the run read them; none of one that it could not use. null: its method is not known here. */
function setsIn(
  { units }: RunReading,
  { purpose, reply }: EventOf<'llm_call'>,
  problem: string | null,
): CallPage['sets'] {
  if (problem !== null) return [];
  if (units?.kind !== 'llm-search') return null;
  const { config, policy, settings } = units;
  const isOne = purpose !== 'search' || settings.proposalsBy === 'calls';
  // A population may grow from restart to restart: as many as the largest has places for.
  const most = isOne ? 1 : (proposedPlaces(config, Number.POSITIVE_INFINITY) ?? settings.proposals ?? 1);
  const spec = { count: policy.paramCount, values: policy.values, ...settings.parameters, outOfRange: 'clip' } as const;
  const judged = judgeReply({ ...reply, tokens: reply.usage.completionTokens }, spec, most);
  return 'problem' in judged ? [] : judged.answers.map(({ params }) => [...params]);
}

export class CallPages {
  #walk: { readonly folder: string; readonly calls: CallWalk } | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  /** Null: the record has no call with this `seq`. Throws a usage error for a damaged record. */
  async read(reading: RunReading, seq: number): Promise<CallPage | null> {
    const row = reading.calls.find((call) => call.seq === seq);
    // Calls of a long run that the page leaves out are looked for in its record.
    if (row === undefined && reading.every === 1) return null;
    const { folder } = reading.stored;
    const found = this.#turn.then(() => (row ? this.#find(folder, seq) : this.#findWithProblem(folder, seq)));
    // The next one waits, however this one ends.
    this.#turn = found.catch(() => {});
    const restored = await found;
    if (restored === null) return null;
    const { event, problem, ...page } = restored;
    const call = row ?? { ...callRowOf(event), problem };
    return { call, ...page, sets: setsIn(reading, event, call.problem) };
  }

  /** Reads the line behind the call, too, which says whether its reply could be used. */
  async #findWithProblem(folder: string, seq: number): Promise<Restored | null> {
    const found = await this.#find(folder, seq);
    if (found !== null) await this.#walk?.calls.find(seq + 1);
    return found;
  }

  async #find(folder: string, seq: number): Promise<Restored | null> {
    const own = this.#walk?.folder === folder ? this.#walk.calls : null;
    const known = own?.isReplaced ? null : own;
    const kept = known?.known(seq);
    if (kept) return kept;
    const calls = known !== null && known.at < seq ? known : new CallWalk(folder);
    if (calls !== known) this.#walk?.calls.close();
    this.#walk = { folder, calls };
    try {
      const found = await calls.find(seq);
      if (found !== null || calls !== known) return found;
    } catch (error) {
      this.#walk = null;
      // Of a walk that went on: the record may have been replaced.
      if (calls !== known) throw error;
    }
    this.#walk = null;
    return this.#find(folder, seq);
  }

  close(): void {
    this.#walk?.calls.close();
    this.#walk = null;
  }
}
