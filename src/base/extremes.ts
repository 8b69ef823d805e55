/**
 * The least and the greatest of any number of values. As arguments of `Math.min`, more than about 100,000 of them exhaust the
 * stack. Of none: `[Infinity, -Infinity]`.
 */
export function extremes(values: Iterable<number>): readonly [number, number] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return [least, greatest];
}
