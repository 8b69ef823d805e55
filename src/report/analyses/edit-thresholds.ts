/** Thresholds of returns and of changed parameters for the categories of edits. */
import type { AnalysedRun } from './analysis.ts';

export interface EditThresholds {
  /** minimum difference of a changed parameter */
  readonly epsilon: number;
  /** mean returns of a proposal: useless up to near_zero, partly working above partial, nearly optimal above high */
  readonly near_zero: number;
  readonly partial: number;
  readonly high: number;
  /** minimum change of the mean return */
  readonly meaningful: number;
  /** numbers of changed parameters: maximum, minimum, minimum */
  readonly surgical: number;
  readonly multi: number;
  readonly redesign: number;
  /** sources of the levels of return and of the numbers of parameters */
  readonly returns_from: 'reference' | 'environment';
  readonly counts_from: 'reference' | 'share of the parameters';
}

type Levels = Pick<EditThresholds, 'near_zero' | 'partial' | 'high' | 'meaningful'>;

/** The presets of the reference, by environment. `params`: parameters of its policies. */
const presets: Readonly<Record<string, Levels & { readonly params: number }>> = {
  'CartPole-v1': { near_zero: 20, partial: 200, high: 450, meaningful: 0.1, params: 10 },
  'Pong-v0': { near_zero: 0.2, partial: 1, high: 2.8, meaningful: 0.1, params: 18 },
  'FrozenLake-v1': { near_zero: 0.05, partial: 0.3, high: 0.8, meaningful: 0.1, params: 16 },
};

/** In all of the presets. */
const referenceCounts = { surgical: 3, multi: 4, redesign: 8 };

/** Without a preset, the reference uses that of CartPole; here its shares of the scale. */
const shares = { near_zero: 0.04, partial: 0.4, high: 0.9, meaningful: 0.01 };

type Scale = Pick<AnalysedRun['env'], 'returnRange' | 'success'>;

/** The return of a useless policy; null if unknown. */
function floorOf({ returnRange: [lowest], success }: Scale): number | null {
  if (Number.isFinite(lowest)) return lowest;
  return success.threshold > 0 ? 0 : null;
}

/** Shares of the range from the lowest return to the threshold of success; null if that is empty. */
export function levelsOf(env: Scale): Levels | null {
  const floor = floorOf(env);
  if (floor === null || !(env.success.threshold > floor)) return null;
  const scale = env.success.threshold - floor;
  return {
    near_zero: floor + shares.near_zero * scale,
    partial: floor + shares.partial * scale,
    high: floor + shares.high * scale,
    meaningful: shares.meaningful * scale,
  };
}

/** CartPole's 3, 4 and 8 of 10 parameters as shares of `params`. */
export function countsOf(params: number): typeof referenceCounts {
  const surgical = Math.max(1, Math.floor(0.3 * params));
  const multi = surgical + 1;
  return { surgical, multi, redesign: Math.max(multi, Math.ceil(0.8 * params)) };
}

type Facts = Pick<AnalysedRun, 'policy' | 'parameters'> & { readonly env: Scale & { readonly id: string } };

/** null without a scale of returns; edits then have no category. */
export function thresholdsOf({ env, policy, parameters }: Facts): EditThresholds | null {
  const preset = Object.hasOwn(presets, env.id) ? presets[env.id] : null;
  const levels = preset ?? levelsOf(env);
  if (levels === null) return null;
  const asPublished = preset?.params === policy.paramCount;
  const { near_zero, partial, high, meaningful } = levels;
  return {
    epsilon: epsilonOf({ policy, parameters }),
    near_zero,
    partial,
    high,
    meaningful,
    ...(asPublished ? referenceCounts : countsOf(policy.paramCount)),
    returns_from: preset ? 'reference' : 'environment',
    counts_from: asPublished ? 'reference' : 'share of the parameters',
  };
}

/** For numbers that are not rounded. */
const minChange = 1e-12;

/** Half a step of the last decimal (the reference's 0.05 for one decimal), so that rounding is no change. */
export function epsilonOf({ policy, parameters }: Pick<Facts, 'policy' | 'parameters'>): number {
  const { decimals } = parameters;
  return policy.values.kind === 'choice' || decimals === null ? minChange : 0.5 * 10 ** -decimals;
}
