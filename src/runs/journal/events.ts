/**
 * The append-only truth of a run: one JSON object a line in `events.jsonl`, on disk before the next step starts.
 * Every other file of a run folder can be rebuilt from it.
 */
import type { ChatReply, Message } from '../../llm/chat.ts';
import type { ReplyForm } from '../../llm/reply/shape.ts';
import type { CandidateLabel, IterationOutcome, Purpose } from '../../methods/method.ts';
import type { EndCause } from '../../rollout/backend.ts';
import type { PairedTest } from '../../stats/intervals.ts';
import type { Sensitivity } from '../../evaluation/sensitivity.ts';
import type { Summary } from '../../evaluation/summary.ts';

/** The first event of a run that was not searched by this program but read from the log of another one. */
export interface Imported {
  readonly type: 'imported';
  readonly format: string;
  readonly layout: string;
  /** last two names of the path that it was read from */
  readonly source: string;
  /** what the log does not say, in words: values of these kinds stand for nothing or are assumed */
  readonly unknown: readonly string[];
}
/** What answered the prompts; `none`: nothing was asked, as in a training that was imported. */
export const modelKinds = ['model', 'offline', 'replay', 'none'] as const;
export type ModelKind = (typeof modelKinds)[number];

export interface RunStarted {
  readonly type: 'run_started';
  /** false for the first start, true for each `--resume` */
  readonly resumed: boolean;
  readonly config_hash: string;
  readonly backend: string;
  readonly adapter: string | null;
  /** what answers the search calls */
  readonly model: string;
  readonly model_kind: ModelKind;
  /** what answers the calls of each purpose; older records have one model for both */
  readonly models?: Readonly<Record<Purpose, string>> | undefined;
  /** version of the texts of the prompts; older records do not have it */
  readonly prompts?: number | undefined;
}
export interface Warmup {
  readonly type: 'warmup';
  readonly index: number;
  readonly params: readonly number[];
  readonly seed: number;
  readonly return: number;
  readonly length: number;
  readonly end: EndCause;
}
export interface LlmCall {
  readonly type: 'llm_call';
  readonly iteration: number;
  readonly purpose: Purpose;
  /** 0 is the call itself, 1... are repair turns */
  readonly attempt: number;
  readonly request: {
    readonly messages: readonly Message[];
    readonly temperature: number | null;
    readonly seed: number | null;
    /** form to which the reply was held */
    readonly form: ReplyForm;
  };
  readonly reply: ChatReply;
}
export interface ParseFailed {
  readonly type: 'parse_failed';
  readonly iteration: number;
  readonly purpose: Purpose;
  readonly attempt: number;
  readonly problem: string;
}
export interface Evaluated {
  readonly type: 'evaluated';
  readonly iteration: number;
  readonly candidate: CandidateLabel;
  readonly params: readonly number[];
  readonly adjustments: readonly string[];
  readonly seed: number;
  readonly summary: Summary;
  /** against the candidate that was played before it; null where that was not asked for or there is none */
  readonly paired: PairedTest | null;
  /** of an imported run: the outcome of each episode, in order; a run of ours plays them again from its seeds */
  readonly rollouts?: { readonly returns: readonly number[]; readonly lengths: readonly number[] } | undefined;
}
/** Not asked for by default; see `critic.sensitivity_episodes`. */
export interface SensitivityMeasured extends Sensitivity {
  readonly type: 'sensitivity';
  readonly iteration: number;
  readonly params: readonly number[];
  readonly seed: number;
}
/** Running totals of another program's log, in s and since the start; they count attempts that left nothing else. */
export interface LoggedTotals {
  readonly cpu_s: number;
  readonly api_s: number;
  readonly episodes: number;
  readonly steps: number;
  /** mean of the kept policy as it was logged */
  readonly reward: number;
}
export interface Iteration extends IterationOutcome {
  readonly type: 'iteration';
  /** of an imported run; nothing where its log has no such line */
  readonly logged?: LoggedTotals | undefined;
}
export interface Rechecked {
  readonly type: 'rechecked';
  readonly iteration: number;
  readonly params: readonly number[];
  readonly seed: number;
  readonly summary: Summary;
}
export interface RunFinished {
  readonly type: 'run_finished';
}
/** Not the end: `--resume` goes on from here. */
export interface RunStopped {
  readonly type: 'run_stopped';
  readonly reason: string;
  readonly exit_code: number;
  /** false: the endpoint answered, with nothing that could be used; left out for any other stop */
  readonly call_failed?: boolean | undefined;
}

export type EventBody =
  | Imported
  | RunStarted
  | Warmup
  | LlmCall
  | ParseFailed
  | Evaluated
  | SensitivityMeasured
  | Iteration
  | Rechecked
  | RunFinished
  | RunStopped;
/** `time`: ISO 8601; `seq`: 0, 1, 2, ... without gaps */
export type RunEvent = EventBody & { readonly time: string; readonly seq: number };
