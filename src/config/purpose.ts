/** Settings of the model calls of one purpose: `llm` overridden by `llm.search` or `llm.critic`. */
import type { Controls } from '../llm/controls.ts';
import type { Purpose } from '../methods/method.ts';
import type { LlmConfig } from './schema.ts';

export interface PurposeSettings {
  /** name as in `--model` */
  readonly model: string;
  readonly temperature: number | null;
  readonly replyForm: LlmConfig['llm']['reply_form'];
  readonly controls: Controls;
}

export function purposeSettings({ model, llm }: Pick<LlmConfig, 'model' | 'llm'>, purpose: Purpose): PurposeSettings {
  const { search, critic, ...common } = llm;
  const own = purpose === 'critic' ? critic : { ...search, model: undefined };
  const set = { ...common, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) };
  return {
    model: own.model ?? model,
    temperature: set.temperature,
    replyForm: set.reply_form,
    controls: {
      topP: set.top_p,
      stop: set.stop,
      maxReplyTokens: set.max_reply_tokens,
      reasoningEffort: set.reasoning_effort,
      think: set.think,
      numCtx: set.num_ctx,
      keepAlive: set.keep_alive,
      extraBody: { ...common.extra_body, ...own.extra_body },
      headers: set.headers,
    },
  };
}
