/** Order statistics without sorting everything. */

/** Below this number of values, and after bad partitions, the values are sorted. */
const smallRange = 64;
const maxPartitions = 40;

/**
 * Rearranges `values` so that each of the `ranks` (ascending, 0-based) holds what it would hold if all were sorted. In
 * place; in linear time except for adversarial inputs, and never slower than sorting. Values must not be NaN.
 */
export function placeRanks(values: Float64Array, ranks: readonly number[]): void {
  let from = 0;
  for (const rank of ranks) {
    if (rank < from) continue;
    placeRank(values, from, values.length - 1, rank);
    from = rank + 1;
  }
}

/** All values before `first` are known to be no larger and stay in place. */
function placeRank(values: Float64Array, first: number, last: number, rank: number): void {
  let low = first;
  let high = last;
  for (let partitions = 0; high - low > smallRange; partitions++) {
    if (partitions === maxPartitions) break;
    // Hoare's partition around the middle of three: equal values are spread over both sides.
    const pivot = middle(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i] = values[j]!;
      values[j] = swapped;
      i++;
      j--;
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else return;
  }
  values.subarray(low, high + 1).sort();
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** The neighbours of the `q` quantile of `n` values, by their ranks. */
export function neighbours(n: number, q: number): [number, number] {
  const below = Math.floor(q * (n - 1));
  return [below, Math.min(below + 1, n - 1)];
}

/** The `q` quantile of `n` values, linear between neighbours (NumPy's default method); `at` gives the value of a rank. */
export function quantile(n: number, q: number, at: (rank: number) => number): number {
  const [below, above] = neighbours(n, q);
  return at(below) + (q * (n - 1) - below) * (at(above) - at(below));
}
