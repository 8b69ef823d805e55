/**
 * Prices and context sizes of models, from the list in the package `@pydantic/genai-prices`. Nothing is fetched: the
 * package updates only on request, and this program never requests it.
 */
import { calcPrice, findProvider, type ModelPrice } from '@pydantic/genai-prices';
import { readAsset } from '../base/node/assets.ts';
import { presets } from './providers/index.ts';
import { isCloudModel } from './providers/ollama.ts';
import type { Environment } from './providers/presets.ts';
import { isLoopback } from './providers/transport.ts';

/** USD per million tokens. */
export interface ListPrice {
  readonly prompt: number;
  readonly completion: number;
  /** prompt tokens read from a cache, and written to one; null: same as other prompt tokens */
  readonly cached: number | null;
  readonly cacheWrite: number | null;
  /** description of the price's source */
  readonly source: string;
}

export interface ListedModel {
  /** null: not in the list */
  readonly price: ListPrice | null;
  /** context window: prompt plus reply, tokens; null: not in the list */
  readonly contextTokens: number | null;
}

const nobody: ListPrice = {
  prompt: 0,
  completion: 0,
  cached: null,
  cacheWrite: null,
  source: 'nobody bills what runs on your own machine',
};
const unknown: ListedModel = { price: null, contextTokens: null };

function sourceName(): string {
  const { dependencies } = JSON.parse(readAsset('package.json')) as { dependencies: Record<string, string> };
  return `@pydantic/genai-prices ${dependencies['@pydantic/genai-prices']}`;
}

/** The unit price; for prices that rise with the prompt length, the first tier. */
function flat(price: ModelPrice[string]): number | null {
  if (price === undefined) return null;
  return typeof price === 'number' ? price : price.base;
}

function listed(model: string, at: Date, where: { providerId: string } | { providerApiUrl: string }): ListedModel {
  const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { ...where, timestamp: at });
  if (found === null) return unknown;
  const { model_price: price } = found;
  const [prompt, completion] = [flat(price.input_mtok), flat(price.output_mtok)];
  const contextTokens = found.model.context_window ?? null;
  if (prompt === null || completion === null) return { price: null, contextTokens };
  const [cached, cacheWrite] = [flat(price.cache_read_mtok), flat(price.cache_write_mtok)];
  return { price: { prompt, completion, cached, cacheWrite, source: sourceName() }, contextTokens };
}

/**
 * Looks up a model by its name in this program. A provider with a custom address is looked up by that address, because
 * its models may be another vendor's. Free is what runs on this machine: a server elsewhere, and one for a provider whose keys
 * it takes, may be a gateway to models that somebody pays for.
 */
export function listedModel(name: string, at: Date, env: Environment): ListedModel {
  const free: ListedModel = { price: nobody, contextTokens: null };
  const byUrl = (url: string, model: string, isOwn: boolean): ListedModel => {
    if (isOwn && isLoopback(url) && !isCloudModel(model)) return free;
    return findProvider({ providerApiUrl: url }) === undefined ? unknown : listed(model, at, { providerApiUrl: url });
  };
  if (/^https?:\/\//i.test(name)) {
    const hash = name.indexOf('#');
    return hash < 0 ? unknown : byUrl(name.slice(0, hash), name.slice(hash + 1), true);
  }
  const slash = name.indexOf('/');
  const preset = slash < 0 ? undefined : presets.find(({ id }) => id === name.slice(0, slash));
  // Models that are not endpoints run in this process, or are chosen among free ones.
  if (preset === undefined) return free;
  const model = name.slice(slash + 1);
  const url = preset.baseURL(env);
  const moved = preset.addressVariable !== null && env[preset.addressVariable] !== undefined;
  if (preset.priceList === null || moved) return url === null ? unknown : byUrl(url, model, !preset.keyRequired);
  return listed(model, at, { providerId: preset.priceList });
}
