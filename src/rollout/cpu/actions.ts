/** From policy outputs to the action that the environment is given; the WGSL loop has the same two rules. */

/** Index of the largest score, the first one on a tie (numpy's `argmax`). `scores [n]`, n >= 1. */
export function argmax(scores: Float64Array): number {
  let best = 0;
  let bestScore = scores[0]!;
  for (let j = 1; j < scores.length; j++) {
    const score = scores[j]!;
    if (score > bestScore) {
      bestScore = score;
      best = j;
    }
  }
  return best;
}

/** Fills `action [n]` with `values [n]` clipped element by element to `low [n] ... high [n]`; NaN stays NaN. */
export function clipToBox(values: Float64Array, low: Float64Array, high: Float64Array, action: Float64Array): void {
  for (let j = 0; j < action.length; j++) action[j] = Math.min(Math.max(values[j]!, low[j]!), high[j]!);
}
