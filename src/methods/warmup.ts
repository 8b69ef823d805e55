/** Parameters of the random warm-up policies of a run. */
import type { Generator } from '../base/rng/generator.ts';
import type { Policy } from '../policies/policy.ts';
import type { SearchSettings } from './settings.ts';

/** The nearest value in the range with the allowed decimals. */
function nearestAllowed(value: number, { low, high, decimals }: SearchSettings['parameters']): number {
  const inside = Math.min(Math.max(value, low), high);
  if (decimals === null) return inside;
  const scale = 10 ** decimals;
  // The grid's own ends, because those of the range may lie between two grid points.
  const steps = Math.min(Math.max(Math.round(inside * scale), Math.ceil(low * scale)), Math.floor(high * scale));
  // Adding zero turns -0 into 0.
  return Number((steps / scale).toFixed(decimals)) + 0;
}

/**
 * A random parameter vector of `policy`. With `settings.warmupInside` it is one that the model may write: small models
 * copy numbers from the trials shown, and a copied number outside the range makes the reply unusable.
 */
export function warmupParameters(policy: Policy, settings: SearchSettings, rng: Generator): number[] {
  const drawn = [...policy.sample(rng, settings.warmupSpread)];
  if (!settings.warmupInside || policy.values.kind === 'choice') return drawn;
  return drawn.map((value) => nearestAllowed(value, settings.parameters));
}
