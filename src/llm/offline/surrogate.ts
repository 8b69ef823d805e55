/**
 * Predicts unmeasured points from the visible history: a Gaussian process over the ranks of its returns. Ranks are used
 * because returns may jump from 10 to 500 and only their order matters.
 */
import type { Domain } from './domain.ts';
import { fitGaussianProcess, type GaussianProcess, type Prior } from './gaussian-process.ts';
import type { ReadTrial } from './read.ts';

/** Maximum trials to fit, half of them the best and half the newest; more cost time and add little. */
const maxTrials = 200;

/**
 * As shares of the range, or of the listed parameters that differ: from "every parameter change matters" to "nearly
 * linear over the whole range".
 */
const lengthScales = [0.1, 0.2, 0.35, 0.6];
/** Ranks of means over about ten episodes still swap often; assuming less noise makes the search chase luck. */
const noiseVariances = [0.15, 0.6];
/** Noise of a single measurement, relative to that of a mean. */
const singleMeasurementNoise = 4;

export interface Surrogate {
  readonly process: GaussianProcess<readonly number[]>;
  readonly trials: number;
  /** the distinct measured points, most promising first */
  readonly ranking: readonly { readonly params: readonly number[]; readonly mean: number }[];
}

/** Root mean square difference in units of the range, or the root of the share of listed parameters that differ. */
function distanceIn(domain: Domain): Prior<readonly number[]>['distance'] {
  if (domain.kind === 'choice') {
    return (a, b) => {
      let different = 0;
      for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) different++;
      return Math.sqrt(different / a.length);
    };
  }
  const span = domain.high - domain.low || 1;
  return (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) {
      const difference = (a[i]! - b[i]!) / span;
      sum += difference * difference;
    }
    return Math.sqrt(sum / a.length);
  };
}

function mostInformative(trials: readonly ReadTrial[]): readonly ReadTrial[] {
  if (trials.length <= maxTrials) return trials;
  const half = maxTrials / 2;
  const newest = trials.slice(-half);
  const best = trials.slice(0, -half).sort((a, b) => b.value - a.value);
  return [...best.slice(0, half), ...newest];
}

/** Normal scores of the ranks, from about -2 (lowest) to 2 (highest); equal values get equal scores. */
export function normalScores(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => {
    const share = (sorted.indexOf(value) + sorted.lastIndexOf(value) + 1) / (2 * values.length);
    // Tukey's lambda approximation of the normal quantile.
    return 4.91 * (share ** 0.14 - (1 - share) ** 0.14);
  });
}

/** Fits the history of at least one trial. */
export function fitSurrogate(domain: Domain, history: readonly ReadTrial[]): Surrogate {
  const trials = mostInformative(history);
  const scores = normalScores(trials.map(({ value }) => value));
  const observations = trials.map(({ params, averaged }, i) => ({
    point: params,
    value: scores[i]!,
    noise: averaged ? 1 : singleMeasurementNoise,
  }));
  const process = fitGaussianProcess(observations, { distance: distanceIn(domain), lengthScales, noiseVariances });
  const distinct = new Map(trials.map(({ params }) => [params.join(), params]));
  const ranking = [...distinct.values()]
    .map((params) => ({ params, mean: process.predict(params).mean }))
    .sort((a, b) => b.mean - a.mean);
  return { process, trials: trials.length, ranking };
}
