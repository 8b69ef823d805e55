/**
 * One number over the runs of several environments, and how sure it is: Agarwal et al., "Deep Reinforcement Learning at
 * the Edge of the Statistical Precipice" (NeurIPS 2021), and their library rliable.
 *
 * Runs come in strata, usually one per environment: `strata[s][i]` is the result of run i. Numbers of different
 * environments have to be put on one scale first where they are averaged; orders within a stratum need none.
 */
import { R2poError } from '../base/errors.ts';
import { moments } from '../base/moments.ts';
import { placeRanks, quantile } from '../base/order-statistics.ts';
import { Generator } from '../base/rng/generator.ts';
import { rankedTogether, winsOf } from './rank-tests.ts';
import { sampleOf } from './sample.ts';

/**
 * Mean of the middle half of finite numbers, which are reordered. `floor(n / 4)` values are cut off at each end, as rliable
 * does with `scipy.stats.trim_mean(values, 0.25)`: whole values, so for an n that 4 does not divide a little more than half
 * stays, and up to three values it is the mean. Linear time.
 */
function middleMean(values: Float64Array): number {
  const cut = Math.floor(values.length / 4);
  const end = values.length - cut;
  if (cut > 0) placeRanks(values, [cut, end - 1]);
  return moments(values.subarray(cut, end)).mean;
}

export interface BootstrapOptions {
  /** the same seed gives the same interval; a whole number from 0 to 2^53 - 1 */
  readonly seed: number;
  /** 2000 when left out; at least 100, below which the 2.5 % points say nothing */
  readonly resamples?: number;
}

export interface Estimate {
  readonly value: number;
  /** 95 % interval; null when a stratum has a single run, whose spread nobody knows */
  readonly ci95: readonly [number, number] | null;
}

/** Runs drawn with replacement; all of it is overwritten by the next draw, so a statistic may reorder it. */
export interface Resample {
  /** the strata, one after the other */
  readonly all: Float64Array;
  /** the same numbers, by stratum */
  readonly strata: readonly Float64Array[];
}

/**
 * A statistic of the runs with its stratified bootstrap interval: the 2.5 % and 97.5 % points of the statistic over
 * resamples, each of which draws as many runs as there are, with replacement, within each stratum. Intervals of few runs
 * are too narrow, as all such intervals are. Throws for no stratum, an empty one, a value that is not finite, a
 * statistic that is not, or options outside their range.
 */
export function stratifiedBootstrap(
  strata: readonly ArrayLike<number>[],
  statistic: (runs: Resample) => number,
  { seed, resamples = 2000 }: BootstrapOptions,
): Estimate {
  if (!(Number.isSafeInteger(resamples) && resamples >= 100)) {
    throw new R2poError('stats', `expected a whole number of resamples from 100 on, got ${resamples}; ask for 2000`);
  }
  const runs = strataOf('the sample', strata);
  const generator = Generator.from(seed);
  const resample = joined(runs);
  const measure = (): number => {
    const value = statistic(resample);
    if (Number.isFinite(value)) return value;
    throw new R2poError(
      'stats',
      `expected a finite statistic of the runs, got ${value}; choose one that always exists`,
    );
  };
  const value = measure();
  if (runs.some((stratum) => stratum.length < 2)) return { value, ci95: null };
  const values = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let s = 0; s < runs.length; s++) {
      const from = runs[s]!;
      const to = resample.strata[s]!;
      for (let i = 0; i < to.length; i++) to[i] = from[generator.integers(0, from.length)]!;
    }
    values[r] = measure();
  }
  values.sort();
  const at = (rank: number) => values[rank]!;
  return { value, ci95: [quantile(resamples, 0.025, at), quantile(resamples, 0.975, at)] };
}

function strataOf(name: string, strata: readonly ArrayLike<number>[]): Float64Array[] {
  if (strata.length === 0) throw new R2poError('stats', `expected one stratum or more in ${name}, got none; add runs`);
  return strata.map((runs, s) => sampleOf(`stratum ${s} of ${name}`, runs));
}

function joined(strata: readonly Float64Array[]): Resample {
  const all = new Float64Array(strata.reduce((sum, runs) => sum + runs.length, 0));
  let from = 0;
  const views = strata.map((runs) => {
    const view = all.subarray(from, from + runs.length);
    view.set(runs);
    from += runs.length;
    return view;
  });
  return { all, strata: views };
}

/** Interquartile mean of all runs of all strata together, with its stratified bootstrap interval. */
export function interquartileMeanOf(strata: readonly ArrayLike<number>[], options: BootstrapOptions): Estimate {
  return stratifiedBootstrap(strata, ({ all }) => middleMean(all), options);
}

/**
 * How likely a run of x beats a run of y: P(X > Y) + P(X = Y) / 2 within each stratum, averaged over the strata, with
 * its stratified bootstrap interval. Stratum s of both is the same environment; the numbers of runs may differ. When all
 * runs of one side beat all of the other the interval is that single number: no resample shows anything else. Throws
 * like `stratifiedBootstrap`, and when x and y do not have equally many strata.
 */
export function probabilityOfImprovement(
  x: readonly ArrayLike<number>[],
  y: readonly ArrayLike<number>[],
  options: BootstrapOptions,
): Estimate {
  const first = strataOf('the first sample', x);
  const second = strataOf('the second sample', y);
  if (first.length !== second.length) {
    throw new R2poError(
      'stats',
      `expected as many strata in both samples, got ${first.length} and ${second.length}; compare the common ones`,
    );
  }
  // Only the order counts, so classes replace the values, and a resample is counted rather than sorted.
  const ranked = first.map((runs, s) => rankedTogether(runs, second[s]!));
  const count = ranked.length;
  return stratifiedBootstrap(
    [...ranked.map(({ a }) => a), ...ranked.map(({ b }) => b)],
    ({ strata }) => {
      let sum = 0;
      for (let s = 0; s < count; s++) {
        const [a, b] = [strata[s], strata[count + s]];
        sum += winsOf(a!, b!, ranked[s]!.sizes.length) / (a!.length * b!.length);
      }
      return sum / count;
    },
    options,
  );
}
