/** Whether the prompts of a run will fit into the context of its models. */
import type { LlmConfig } from '../../config/schema.ts';
import type { ChatModel } from '../../llm/chat.ts';
import type { ModelChain } from '../../llm/fallback.ts';
import type { Environment } from '../../llm/providers/index.ts';
import type { Purpose } from '../../methods/method.ts';
import type { CostEstimate, TokenCounts } from '../drivers/driver.ts';
import type { RunModels } from './models.ts';

export interface Context {
  readonly purpose: Purpose;
  /** name of the model that is asked first */
  readonly model: string;
  /** null: unknown to the list of models and to the endpoint */
  readonly tokens: number | null;
  /** what answers; left out: it was not opened */
  readonly chain?: ModelChain;
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
    const chain = models[purpose];
    const { first } = chain;
    if (first.kind !== 'model') continue;
    const tokens = llm.num_ctx ?? (await contextOf(first, now, env));
    found.push({ purpose, model: first.id, tokens, chain });
  }
  return found;
}

/** How the models that have their tokenizers here count the tokens of their prompts. */
export function countsOf(contexts: readonly Context[]): TokenCounts {
  const counts = contexts.map(({ purpose, chain }) => [purpose, chain?.first.countTokens]);
  return Object.fromEntries(counts.filter(([, count]) => count !== undefined));
}

/** What to do about prompts of this size. A run that has `begun` keeps its settings, but not its fallbacks. */
function adviceFor({ chain }: Context, longest: number, begun: boolean): string {
  if (chain !== undefined && chain.models.length > 1) return 'llm.fallback answers those that do not fit';
  if (begun) return 'name a model with a larger context in llm.fallback, to answer those that do not fit';
  const most = chain?.first.maxContextTokens;
  const lower = 'or lower critic.trajectory_tokens or iterations';
  if (most !== undefined && longest <= most)
    return `give it ctx=${longest} or more (at most ${most}) behind its name, ${lower}`;
  return `use a model with a larger context (a local server: llm.num_ctx), ${lower}`;
}

/**
 * A sentence for each context that the prompts will outgrow; the token counts are estimates, so nothing is refused. `begun`:
 * the run is resumed.
 */
export function outgrown(
  contexts: readonly Context[],
  { longest_call_tokens: longest }: CostEstimate,
  begun = false,
): string[] {
  return contexts.flatMap((context) => {
    const { purpose, model, tokens } = context;
    const longestCall = longest[purpose];
    return tokens === null || longestCall === null || longestCall <= tokens
      ? []
      : [
          `the last ${purpose} prompts will have up to about ${longestCall} tokens with their replies, and ${model} takes ${tokens}; ` +
            adviceFor(context, longestCall, begun),
        ];
  });
}
