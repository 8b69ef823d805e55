/** The same work as a loop inlined by hand, where the checkout has one: what the cpu backend's generality costs. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { assetPath } from '../base/node/assets.ts';
import type { Backend } from '../rollout/backend.ts';
import { median } from './timing.ts';
import type { BenchWork } from './work.ts';

export interface HandLoop {
  /** the hand-inlined loop */
  readonly stepsPerSecond: number;
  /** one cpu thread, timed in turn with it */
  readonly cpuStepsPerSecond: number;
  readonly ratio: number;
}

/** The contract of `bench/bare-<env folder>.mjs`. */
interface BareModule {
  /** keeps episodes long */
  readonly policy: readonly number[];
  run(episodes: number, maxSteps: number): { readonly steps: number; readonly seconds: number };
}

/** Null where there is no such loop. `backend`: one cpu thread. */
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
  // In turns, so that a busy moment of the machine meets both.
  for (let r = 0; r < Math.max(5, repeats); r++) {
    const inlined = bare.run(episodes, env.timeLimit);
    hand.push(inlined.steps / inlined.seconds);
    const played = await backend.play(job);
    own.push(played.steps / played.seconds);
  }
  const [cpuStepsPerSecond, stepsPerSecond] = [median(own), median(hand)];
  return { stepsPerSecond, cpuStepsPerSecond, ratio: cpuStepsPerSecond / stepsPerSecond };
}
