/** Whether the prompts of a run will fit into the context of its models. */
import type { LlmConfig } from '../../config/schema.ts';
import type { ChatModel } from '../../llm/chat.ts';
import type { Environment } from '../../llm/providers/index.ts';
import type { Purpose } from '../../methods/method.ts';
import type { CostEstimate } from '../drivers/driver.ts';
import type { RunModels } from './models.ts';

export interface Context {
  readonly purpose: Purpose;
  /** name of the model that is asked first */
  readonly model: string;
  /** null: unknown to the list of models and to the endpoint */
  readonly tokens: number | null;
}

async function contextOf(model: ChatModel, now: Date, env: Environment): Promise<number | null> {
  const { listedModel } = await import('../../llm/price-list.ts');
  const { contextTokens } = listedModel(model.id, now, env);
  if (contextTokens !== null) return contextTokens;
  try {
    return (await model.contextTokens?.()) ?? null;
  } catch {
    // Ignored: the first call reports an unusable endpoint with more detail.
    return null;
  }
}

/** One for each purpose that a language model answers. `llm.num_ctx` sets the context of a local server. */
export async function contextsOf(
  models: RunModels,
  { llm }: Pick<LlmConfig, 'llm'>,
  now: Date = new Date(),
  env: Environment = process.env,
): Promise<Context[]> {
  const found: Context[] = [];
  for (const purpose of ['search', 'critic'] as const) {
    const { first } = models[purpose];
    if (first.kind !== 'model') continue;
    const tokens = llm.num_ctx ?? (await contextOf(first, now, env));
    found.push({ purpose, model: first.id, tokens });
  }
  return found;
}

/** A sentence for each context that the prompts will outgrow; the token counts are estimates, so nothing is refused. */
export function outgrown(contexts: readonly Context[], { longest_call_tokens: longest }: CostEstimate): string[] {
  return contexts.flatMap(({ purpose, model, tokens }) => {
    const longestCall = longest[purpose];
    return tokens === null || longestCall === null || longestCall <= tokens
      ? []
      : [
          `the last ${purpose} prompts will have about ${longestCall} tokens with their replies, and ${model} takes ${tokens}; ` +
            'use a model with a larger context (a local server: llm.num_ctx), or lower critic.trajectory_tokens or iterations',
        ];
  });
}
