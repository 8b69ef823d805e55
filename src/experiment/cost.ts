/** What a run costs, by the prices of its configuration and nothing else. */
import { UsageError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';

export type Price = Config['prices'][string];

/** The price of the configured model; null where the configuration gives none. */
export function priceOf({ prices, model }: Pick<Config, 'prices' | 'model'>): Price | null {
  return Object.hasOwn(prices, model) ? prices[model] : null;
}

/** USD; null for an unknown price, which is not the same as nothing. */
export function costOf(price: Price | null, promptTokens: number, completionTokens: number): number | null {
  if (price === null) return null;
  return (price.prompt_per_million * promptTokens + price.completion_per_million * completionTokens) / 1e6;
}

/** Refuses a limit of the cost that nobody could watch. */
export function checkPrice(config: Config): void {
  if (config.budget.max_cost_usd === null || priceOf(config) !== null) return;
  throw new UsageError(
    'budget.max_cost_usd',
    `expected a price of "${config.model}" to hold a limit of ${config.budget.max_cost_usd} USD, got none; add ` +
      `"prices: {${JSON.stringify(config.model)}: {prompt_per_million: ..., completion_per_million: ..., date: YYYY-MM-DD}}"`,
  );
}
