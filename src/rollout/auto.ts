/**
 * What the backend `auto` is on a machine without a GPU. It follows from declared costs, not from a measurement, so that the
 * same command is played in the same arithmetic everywhere and each time.
 */
import type { Env } from '../envs/env.ts';
import { type Policy, shaderExpansion } from '../policies/policy.ts';
import { defaultStepCap } from './job.ts';
import { hasSimd } from './wasm/instance.ts';

/** What is to be played, at most. */
export interface ExpectedWork {
  readonly env: Env;
  /** values that the policy reads per step, see `valuesPerStep` */
  readonly values: number;
  readonly episodes: number;
  /** our own step cap; null: only the limit of the environment */
  readonly maxSteps: number | null;
}

export interface HostChoice {
  readonly id: 'wasm' | 'cpu';
  readonly why: string;
}

/** Costs of a policy per value that it reads in a step, ns: of networks with 64 to 5000 weights. */
const valueCost = { cpu: 1.7, wasm: 0.55 } as const;

/** wasm is taken where it is expected to need at most this share of the time: it computes in float32, cpu in float64. */
const worthwhileShare = 0.5;

/** The values that a policy multiplies in each step: none for a table, which reads one action. */
export function valuesPerStep(policy: Policy): number {
  return policy.output === 'scores' ? shaderExpansion(policy).count : 0;
}

/** The most steps of this work. */
function mostSteps({ env, episodes, maxSteps }: ExpectedWork): number {
  const own = env.stepCost?.steps ?? Infinity;
  return episodes * Math.min(own, env.timeLimit ?? Infinity, maxSteps ?? defaultStepCap(env) ?? Infinity);
}

/** `2e+6` as `2e6`. */
const rough = (value: number): string => value.toExponential(0).replace('+', '');

/** `work` null: unknown, or of a kind that is always played in float64. */
export function hostBackend(work: ExpectedWork | null): HostChoice {
  if (work === null) return { id: 'cpu', why: '' };
  const { env, values } = work;
  const cost = env.stepCost;
  if (cost === undefined) return { id: 'cpu', why: `${env.id} declares no step cost` };
  if (!hasSimd()) return { id: 'cpu', why: 'this engine has no WebAssembly SIMD' };
  const steps = mostSteps(work);
  const ns = {
    cpu: steps * (cost.cpu + values * valueCost.cpu),
    wasm: steps * (cost.wasm + values * valueCost.wasm) + cost.compile * 1e6,
  };
  if (ns.wasm > worthwhileShare * ns.cpu) return { id: 'cpu', why: `at most ${rough(steps)} steps, too few for wasm` };
  const times = Number((ns.cpu / ns.wasm).toPrecision(1));
  return { id: 'wasm', why: `at most ${rough(steps)} steps, about ${times} times as fast as cpu, in float32` };
}
