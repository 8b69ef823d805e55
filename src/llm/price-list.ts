/**
 * What models cost and how much they read, from the list that the package `@pydantic/genai-prices` brings along. Nothing is
 * fetched: its updates are asked for by whoever wants them, and this program does not.
 */
import { calcPrice, findProvider, type ModelPrice } from '@pydantic/genai-prices';
import { readAsset } from '../base/node/assets.ts';
import { presets } from './providers/index.ts';
import type { Environment } from './providers/presets.ts';
import { isLocal } from './providers/transport.ts';

/** USD per million tokens. */
export interface ListPrice {
  readonly prompt: number;
  readonly completion: number;
  /** of prompt tokens that a cache had, and that were written to one; null: as any other */
  readonly cached: number | null;
  readonly cacheWrite: number | null;
  /** where it comes from, in words */
  readonly source: string;
}

export interface ListedModel {
  /** null: the list has none */
  readonly price: ListPrice | null;
  /** longest prompt and reply together, tokens; null: the list does not say */
  readonly contextTokens: number | null;
}

const nobody: ListPrice = {
  prompt: 0,
  completion: 0,
  cached: null,
  cacheWrite: null,
  source: 'nobody bills what runs on a machine of your own',
};
const unknown: ListedModel = { price: null, contextTokens: null };

function sourceName(): string {
  const { dependencies } = JSON.parse(readAsset('package.json')) as { dependencies: Record<string, string> };
  return `@pydantic/genai-prices ${dependencies['@pydantic/genai-prices']}`;
}

/** The price of a unit; of prices that rise with the length of the prompt the first. */
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
 * What the list says of a model by its name in this program. A provider whose address was changed is looked up by that
 * address: its models may be anybody's.
 */
export function listedModel(name: string, at: Date, env: Environment): ListedModel {
  const free: ListedModel = { price: nobody, contextTokens: null };
  const byUrl = (url: string, model: string): ListedModel => {
    if (isLocal(url)) return free;
    return findProvider({ providerApiUrl: url }) === undefined ? unknown : listed(model, at, { providerApiUrl: url });
  };
  if (/^https?:\/\//i.test(name)) {
    const hash = name.indexOf('#');
    return hash < 0 ? unknown : byUrl(name.slice(0, hash), name.slice(hash + 1));
  }
  const slash = name.indexOf('/');
  const preset = slash < 0 ? undefined : presets.find(({ id }) => id === name.slice(0, slash));
  // What is no endpoint runs in this process, or is chosen among what costs nothing.
  if (preset === undefined) return free;
  const model = name.slice(slash + 1);
  const url = preset.baseURL(env);
  const moved = preset.addressVariable !== null && env[preset.addressVariable] !== undefined;
  if (preset.priceList === null || moved) return url === null ? unknown : byUrl(url, model);
  return listed(model, at, { providerId: preset.priceList });
}
