/** The share of an adapter's peak issue rate that a rollout program uses. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { assetPath, readAsset } from '../base/node/assets.ts';
import { rolloutProgram } from '../rollout/webgpu/program/programs.ts';
import type { IssueRate } from './issue-rate.ts';
import type { Timing } from './timing.ts';
import type { BenchWork } from './work.ts';

/** Operations per environment step of a rollout program, counted in its source. */
export interface StepOperations {
  readonly operations: number;
  /** the same with each multiply-add counted as one */
  readonly fused: number;
  /** lines of loops with an unknown number of passes, counted as one pass */
  readonly unbounded: readonly number[];
}

export interface IssueShare extends StepOperations {
  readonly issueRate: IssueRate;
  /** steps per second if every issued operation belonged to a step */
  readonly bound: number;
  /** measured steps per second */
  readonly stepsPerSecond: number;
  readonly clock: 'gpu' | 'wall';
  /** `stepsPerSecond` relative to `bound` */
  readonly share: number;
}

/** Values of module-variable fields that bound loops, in order. */
interface KnownFields {
  readonly fields?: Readonly<Record<string, readonly number[]>>;
}

/** The interface of `bench/operations.mjs`, which exists only in a checkout. */
export interface OperationCounter {
  /** one pass of the `while` loop of `entry` */
  operationsOfLoop(code: string, entry: string, known?: KnownFields): StepOperations;
  /** one call */
  operationsOfFunction(code: string, name: string, known?: KnownFields): StepOperations;
  readonly weights: readonly { readonly names: readonly string[]; readonly count: number; readonly reason: string }[];
}

/** The counter of this checkout; null in an installed package, or when its parser is not installed. */
export async function loadCounter(): Promise<OperationCounter | null> {
  const file = assetPath('bench/operations.mjs');
  if (!existsSync(file)) return null;
  try {
    return (await import(pathToFileURL(file).href)) as OperationCounter;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Counts the program's episode loop, with the environment's constants as loop bounds. */
export function stepOperations({ env, policy }: BenchWork, counter: OperationCounter): StepOperations {
  const fields = { env_params: Object.values(env.params) };
  return counter.operationsOfLoop(rolloutProgram(env, policy, readAsset).code, 'play', { fields });
}

/** Uses the GPU's clock if available, to exclude the host's work. */
export function issueShare(step: StepOperations, issueRate: IssueRate, timing: Timing): IssueShare {
  const seconds = timing.gpuSeconds ?? timing.wallSeconds;
  const stepsPerSecond = timing.steps / seconds;
  const bound = issueRate.operationsPerSecond / step.fused;
  const clock = timing.gpuSeconds === null ? 'wall' : 'gpu';
  return { ...step, issueRate, bound, stepsPerSecond, clock, share: stepsPerSecond / bound };
}
