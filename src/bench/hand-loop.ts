/** Compares the cpu backend with a hand-written loop, if the checkout has one: the cost of generality. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { assetPath } from '../base/node/assets.ts';
import type { Backend } from '../rollout/backend.ts';
import { median } from './timing.ts';
import type { BenchWork } from './work.ts';

export interface HandLoop {
  /** speed of the hand-written loop */
  readonly stepsPerSecond: number;
  /** speed of one cpu thread, measured alternately */
  readonly cpuStepsPerSecond: number;
  readonly ratio: number;
}

/** The interface of `bench/bare-<env folder>.mjs`. */
interface BareModule {
  /** policy with long episodes */
  readonly policy: readonly number[];
  run(episodes: number, maxSteps: number): { readonly steps: number; readonly seconds: number };
}

/** Null when there is no such loop. `backend`: one cpu thread. */
export async function handLoop(work: BenchWork, backend: Backend, repeats: number): Promise<HandLoop | null> {
  const { env, policy } = work;
  const file = assetPath(`bench/bare-${env.folder}.mjs`);
  if (!existsSync(file) || env.timeLimit === null) return null;
  const bare = (await import(pathToFileURL(file).href)) as BareModule;
  const episodes = 4096;
  const job = { env, policy, candidates: [Float64Array.from(bare.policy)], episodes, seed: 0, maxSteps: null };
  bare.run(episodes, env.timeLimit);
  const own: number[] = [];
  const hand: number[] = [];
  // Measured alternately, so that a busy machine affects both.
  for (let r = 0; r < Math.max(5, repeats); r++) {
    const inlined = bare.run(episodes, env.timeLimit);
    hand.push(inlined.steps / inlined.seconds);
    const played = await backend.play(job);
    own.push(played.steps / played.seconds);
  }
  const [cpuStepsPerSecond, stepsPerSecond] = [median(own), median(hand)];
  return { stepsPerSecond, cpuStepsPerSecond, ratio: cpuStepsPerSecond / stepsPerSecond };
}
