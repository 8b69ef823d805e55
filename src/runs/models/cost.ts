/** The cost of a run, by the prices in its configuration and nothing else. */
import { UsageError } from '../../base/errors.ts';
import { purposeSettings } from '../../config/purpose.ts';
import { asksModels, type Config, type LlmConfig } from '../../config/schema.ts';
import type { Usage } from '../../llm/chat.ts';
import type { Environment } from '../../llm/providers/index.ts';
import type { RunTotals } from '../journal/totals.ts';

export type Price = LlmConfig['prices'][string];

/** A configuration without a section of prices asks no model. */
type Priced = Config | Pick<LlmConfig, 'prices'>;

function pricesOf(config: Priced): LlmConfig['prices'] {
  return 'prices' in config ? config.prices : {};
}

/** Billed tokens; cached and written ones are included in those of the prompt. */
export type PaidTokens = Pick<Usage, 'promptTokens' | 'completionTokens' | 'cachedTokens' | 'cacheWriteTokens'>;

const nothing: Price = { prompt_per_million: 0, completion_per_million: 0, date: '1970-01-01' };

/**
 * Whether a name is that of a free substitute, such as the numeric optimiser. The name of a billed model has a provider,
 * an address or a path.
 */
function isStandIn(name: string): boolean {
  return !/[/:]/.test(name);
}

/** The price of a model; null where the configuration gives none. */
export function priceOf(config: Priced, model: string): Price | null {
  const prices = pricesOf(config);
  if (Object.hasOwn(prices, model)) return prices[model]!;
  return isStandIn(model) ? nothing : null;
}

/** The date of a price; null: there is none, or nothing is billed. */
export const priceDate = (price: Price | null): string | null =>
  price === null || price === nothing ? null : price.date;

/** USD; null for an unknown price. */
export function costOf(price: Price | null, tokens: PaidTokens): number | null {
  if (price === null) return null;
  const cached = Math.min(tokens.cachedTokens ?? 0, tokens.promptTokens);
  const written = Math.min(tokens.cacheWriteTokens ?? 0, tokens.promptTokens - cached);
  const { prompt_per_million: plain, cached_per_million: read = plain, cache_write_per_million: write = plain } = price;
  const prompt = plain * (tokens.promptTokens - cached - written) + read * cached + write * written;
  return (prompt + price.completion_per_million * tokens.completionTokens) / 1e6;
}

/** USD of all replies of a model, as reported by its endpoint, else by price; null when the price is unknown. */
function costOfModel(config: Priced, { byModel, modelKind }: RunTotals, name: string): number | null {
  const { saidUsd, unsaid } = byModel.get(name)!;
  if (unsaid.calls === 0) return saidUsd;
  // Another program's log may have any name for its model.
  const price = modelKind === 'offline' || Object.hasOwn(pricesOf(config), name) ? priceOf(config, name) : null;
  const cost = costOf(price, unsaid);
  return cost === null ? null : saidUsd + cost;
}

/** USD of all replies; null when a price is unknown. Recorded replies are free. */
export function costOfRun(config: Priced, totals: RunTotals): number | null {
  if (totals.modelKind === 'replay') return 0;
  return [...totals.byModel.keys()].reduce<number | null>((sum, name) => {
    const cost = costOfModel(config, totals, name);
    return sum === null || cost === null ? null : sum + cost;
  }, 0);
}

/** Names of the models whose replies have an unknown cost. */
export function unpricedModels(config: Priced, totals: RunTotals): string[] {
  return [...totals.byModel.keys()].filter((name) => costOfModel(config, totals, name) === null);
}

/** Names of all models that may answer a run of this configuration. */
export function modelNames(config: Config): string[] {
  if (!asksModels(config)) return [];
  const first = (['search', 'critic'] as const).map((purpose) => purposeSettings(config, purpose).model);
  return [...new Set([...first, ...config.llm.fallback])];
}

/**
 * The configuration with the prices of its models; missing ones are taken from the list of known prices. The folder of a
 * new run keeps them. `names`: the real models, where the configuration says `auto`.
 */
export async function withListPrices(
  config: Config,
  names: readonly string[] = modelNames(config),
  now: Date = new Date(),
  env: Environment = process.env,
): Promise<Config> {
  const missing = names.filter((name) => priceOf(config, name) === null);
  if (missing.length === 0 || !asksModels(config)) return config;
  const { listedModel } = await import('../../llm/price-list.ts');
  const date = now.toISOString().slice(0, 10);
  const found = missing.flatMap((name): [string, Price][] => {
    const { price } = listedModel(name, now, env);
    if (price === null) return [];
    const { prompt, completion, cached, cacheWrite, source } = price;
    return [
      [
        name,
        {
          prompt_per_million: prompt,
          completion_per_million: completion,
          ...(cached !== null && { cached_per_million: cached }),
          ...(cacheWrite !== null && { cache_write_per_million: cacheWrite }),
          source,
          date,
        },
      ],
    ];
  });
  if (found.length === 0) return config;
  return { ...config, prices: { ...config.prices, ...Object.fromEntries(found) } };
}

/** The configuration with the prices that the folder of its run keeps, which it may replace. */
export function withPricesOf(recorded: Config, config: Config): Config {
  if (!asksModels(config) || !asksModels(recorded)) return config;
  return { ...config, prices: { ...recorded.prices, ...config.prices } };
}

/** Refuses a cost limit when a price is unknown. `unpriced`: models that have answered before, at an unknown cost. */
export function checkPrices(config: Config, unpriced: readonly string[] = []): void {
  if (!asksModels(config)) return;
  const limit = config.budget.max_cost_usd;
  const unknown = modelNames(config).find((name) => priceOf(config, name) === null) ?? unpriced[0];
  if (limit === null || unknown === undefined) return;
  throw new UsageError(
    'budget.max_cost_usd',
    `expected a price of "${unknown}" to enforce a limit of ${limit} USD, got none; add ` +
      `"prices: {${JSON.stringify(unknown)}: {prompt_per_million: ..., completion_per_million: ..., date: YYYY-MM-DD}}"`,
  );
}
