/** What every comparison of runs asks of its numbers before it says anything about them. */
import { R2poError } from '../base/errors.ts';

/** A copy of `values`. Throws when there are fewer than `min` or one of them is not finite; `name` says whose they are. */
export function sampleOf(name: string, values: ArrayLike<number>, min = 1): Float64Array {
  if (values.length < min) {
    const wanted = min === 1 ? 'one value' : `${min} values`;
    throw new R2poError('stats', `expected ${wanted} or more in ${name}, got ${values.length || 'none'}; add runs`);
  }
  const sample = Float64Array.from(values);
  const broken = sample.findIndex((value) => !Number.isFinite(value));
  if (broken !== -1) {
    throw new R2poError(
      'stats',
      `expected finite values in ${name}, got ${sample[broken]} at position ${broken}; leave out runs without a result`,
    );
  }
  return sample;
}
