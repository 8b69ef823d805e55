/** User settings for a model's sampling and requests. Null or empty: not sent. */

export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

export interface Controls {
  /** probability mass to sample from, in (0, 1] */
  readonly topP: number | null;
  /** stop sequences */
  readonly stop: readonly string[];
  /** maximum tokens of a reply, reasoning included; null: derived from the size of the expected reply */
  readonly maxReplyTokens: number | null;
  readonly reasoningEffort: ReasoningEffort | null;
  /** whether a reasoning model reasons before it answers */
  readonly think: boolean | null;
  /** context size with which the server loads the model, tokens */
  readonly numCtx: number | null;
  /** how long the server keeps the model loaded, such as `30m` or `-1` */
  readonly keepAlive: string | null;
  /** fields merged into each request body, overriding its own */
  readonly extraBody: Readonly<Record<string, unknown>>;
  /** headers by name; each value is `$` plus the name of an environment variable */
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
