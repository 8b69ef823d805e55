/**
 * How many episodes one dispatch may hold. Desktop drivers kill work that holds the GPU for long, so a dispatch aims
 * at half of 100 ms, by the speed that this program has shown on this device so far.
 */

const targetSeconds = 0.05;
/** Assumed before anything was measured: a software adapter on one core. A GPU shows its speed within two dispatches. */
const firstGuessStepsPerSecond = 5e6;

export class DispatchSize {
  #stepsPerSecond = firstGuessStepsPerSecond;

  /** Episodes for the next dispatch when `remaining` are left and none can be longer than `maxSteps`. */
  next(remaining: number, maxSteps: number): number {
    const fits = Math.floor((this.#stepsPerSecond * targetSeconds) / maxSteps);
    return Math.max(1, Math.min(remaining, fits));
  }

  /** Learns from a finished dispatch. Small ones are all latency, so only the best speed shown counts. */
  observe(steps: number, seconds: number): void {
    if (seconds > 0) this.#stepsPerSecond = Math.max(this.#stepsPerSecond, steps / seconds);
  }
}
