/** One policy under changed constants of its environment: how far does it still work? */
import { withConstants } from '../envs/constants.ts';
import type { Env } from '../envs/env.ts';
import { BrokenReturnError } from '../rollout/statistics.ts';
import { type EvaluateRequest, evaluate } from './evaluate.ts';
import type { Summary } from './summary.ts';

/** A constant and the values that it takes. */
export interface VariedConstant {
  /** name in `env.constants` */
  readonly name: string;
  /** one or more, increasing */
  readonly values: readonly number[];
}

export interface VariedPoint {
  /** by name */
  readonly constants: Readonly<Record<string, number>>;
  /** null: a return is infinite or NaN */
  readonly summary: Summary | null;
  /** why there is no summary */
  readonly broken: string | null;
}

export interface Variation {
  readonly varied: readonly VariedConstant[];
  /** with the constants of the environment as it is */
  readonly unchanged: Summary;
  /** every combination; the last constant runs fastest */
  readonly points: readonly VariedPoint[];
  readonly steps: number;
  /** of playing, s */
  readonly seconds: number;
}

export interface VariationRequest extends Omit<EvaluateRequest, 'candidates' | 'onProgress' | 'onOutcomes'> {
  readonly params: Float64Array;
  readonly varied: readonly VariedConstant[];
  /** share of the combinations that are done, 0 ... 1 */
  readonly onProgress?: (share: number) => void;
}

/** Every combination of the values, as constants by name. */
export function combinationsOf(varied: readonly VariedConstant[]): Readonly<Record<string, number>>[] {
  return varied.reduce<Readonly<Record<string, number>>[]>(
    (all, { name, values }) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    [{}],
  );
}

/**
 * Plays the policy under every combination, on the same episode seeds. Throws a usage error before the first episode
 * when a combination is not physical, and a `BrokenReturnError` for the environment as it is.
 */
export async function evaluateVariation({
  params,
  varied,
  onProgress,
  ...request
}: VariationRequest): Promise<Variation> {
  const combinations = combinationsOf(varied);
  const envs: Env[] = combinations.map((constants) => withConstants(request.env, constants, '--vary'));
  let [steps, seconds] = [0, 0];
  const play = async (env: Env): Promise<Summary> => {
    const result = await evaluate({ ...request, env, candidates: [params] });
    steps += result.played.steps;
    seconds += result.played.seconds;
    return result.summary(0);
  };
  const unchanged = await play(request.env);
  const points: VariedPoint[] = [];
  for (const [i, constants] of combinations.entries()) {
    try {
      points.push({ constants, summary: await play(envs[i]!), broken: null });
    } catch (error) {
      if (!(error instanceof BrokenReturnError)) throw error;
      points.push({ constants, summary: null, broken: error.detail });
    }
    onProgress?.((i + 1) / combinations.length);
  }
  return { varied, unchanged, points, steps, seconds };
}
