/** The parameters of the random policies that a run begins with. */
import type { Generator } from '../base/rng/generator.ts';
import type { Policy } from '../policies/policy.ts';
import type { SearchSettings } from './settings.ts';

/** The nearest value in the range with the decimals that a reply may have. */
function nearestAllowed(value: number, { low, high, decimals }: SearchSettings['parameters']): number {
  const inside = Math.min(Math.max(value, low), high);
  if (decimals === null) return inside;
  const scale = 10 ** decimals;
  // The grid's own ends: those of the range may lie between two of its points.
  const steps = Math.min(Math.max(Math.round(inside * scale), Math.ceil(low * scale)), Math.floor(high * scale));
  // Adding zero turns -0 into 0.
  return Number((steps / scale).toFixed(decimals)) + 0;
}

/**
 * A random parameter vector of `policy`. With `settings.warmupInside` it is one that the model might have written: small
 * models copy numbers from the trials that they are shown, and one outside the range costs them the reply.
 */
export function warmupParameters(policy: Policy, settings: SearchSettings, rng: Generator): number[] {
  const drawn = [...policy.sample(rng, settings.warmupSpread)];
  if (!settings.warmupInside || policy.values.kind === 'choice') return drawn;
  return drawn.map((value) => nearestAllowed(value, settings.parameters));
}
