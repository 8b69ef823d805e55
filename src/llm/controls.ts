/** What a user may set about the sampling and the requests of a model, beside its name. Null or empty: not sent. */

export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

export interface Controls {
  /** probability mass that is sampled from, in (0, 1] */
  readonly topP: number | null;
  /** texts at which a reply ends */
  readonly stop: readonly string[];
  /** most tokens of a reply, reasoning included; null: derived from the size of the wanted reply */
  readonly maxReplyTokens: number | null;
  readonly reasoningEffort: ReasoningEffort | null;
  /** whether a model that can reason before its answer does so */
  readonly think: boolean | null;
  /** context that the server shall load the model with, tokens */
  readonly numCtx: number | null;
  /** how long the server shall keep the model loaded, as `30m` or `-1` */
  readonly keepAlive: string | null;
  /** fields that are laid over the body of each request */
  readonly extraBody: Readonly<Record<string, unknown>>;
  /** headers by name; a value is the name of an environment variable behind a `$` */
  readonly headers: Readonly<Record<string, string>>;
}

export const noControls: Controls = {
  topP: null,
  stop: [],
  maxReplyTokens: null,
  reasoningEffort: null,
  think: null,
  numCtx: null,
  keepAlive: null,
  extraBody: {},
  headers: {},
};
