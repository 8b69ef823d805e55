/**
 * The baseline of the bench: CartPole and a linear policy, hand-written in one plain JavaScript loop without interfaces
 * between policy, physics and loop. The arithmetic is that of the cpu backend (observations rounded to f32, two scores
 * with bias, argmax with ties to the first, Euler step, both limits), so the ratio of the two speeds is the cost of the
 * backend's generality. Start states come from a cheap generator; the cost of seeding a real one is not included.
 */
import { performance } from 'node:perf_hooks';

/** Balances the pole for 500 steps from almost every start state. Weights row by row, then the two biases. */
export const policy = [-1.7832, 1.3935, -0.9133, 1.7699, -5.0816, 4.3552, -4.2295, 1.0367, -0.0506, -1.412];

/**
 * Plays `episodes` episodes of at most `steps` steps on the calling thread.
 *
 * @param {number} episodes
 * @param {number} steps
 * @returns {{ steps: number, seconds: number, meanReturn: number }} steps played, wall time in seconds, mean return
 */
export function run(episodes, steps) {
  const [w00, w01, w10, w11, w20, w21, w30, w31, b0, b1] = policy;
  const fround = Math.fround;
  let random = 12345;
  let played = 0;
  let total = 0;
  const start = performance.now();
  for (let episode = 0; episode < episodes; episode++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    let x = random * 2 ** -31 * 0.05;
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    let xDot = random * 2 ** -31 * 0.05;
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    let theta = random * 2 ** -31 * 0.05;
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    let thetaDot = random * 2 ** -31 * 0.05;
    let sum = 0;
    for (let t = 0; t < steps; t++) {
      const o0 = fround(x);
      const o1 = fround(xDot);
      const o2 = fround(theta);
      const o3 = fround(thetaDot);
      const y0 = o0 * w00 + o1 * w10 + o2 * w20 + o3 * w30 + b0;
      const y1 = o0 * w01 + o1 * w11 + o2 * w21 + o3 * w31 + b1;
      const force = y1 > y0 ? 10 : -10;
      const cos = Math.cos(theta);
      const sin = Math.sin(theta);
      const temp = (force + 0.05 * (thetaDot * thetaDot) * sin) / 1.1;
      const thetaAcc = (9.8 * sin - cos * temp) / (0.5 * (4 / 3 - (0.1 * (cos * cos)) / 1.1));
      const xAcc = temp - (0.05 * thetaAcc * cos) / 1.1;
      x += 0.02 * xDot;
      xDot += 0.02 * xAcc;
      theta += 0.02 * thetaDot;
      thetaDot += 0.02 * thetaAcc;
      played++;
      sum += 1;
      if (x < -2.4 || x > 2.4 || theta < -0.20943951023931953 || theta > 0.20943951023931953) break;
    }
    total += sum;
  }
  return { steps: played, seconds: (performance.now() - start) / 1000, meanReturn: total / episodes };
}
