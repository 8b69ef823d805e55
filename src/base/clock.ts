/** Time stamps whose differences are durations. */

/**
 * The time in ms since 1970. The system's clock is read once, at this call; from then on time goes on as a clock does that
 * nobody sets. `wall`: ms since 1970; `steady`: ms since whenever.
 */
export function stampClock(
  wall: () => number = Date.now,
  steady: () => number = () => performance.now(),
): () => number {
  const start = wall() - steady();
  return () => start + steady();
}
