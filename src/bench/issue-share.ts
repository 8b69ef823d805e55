/** How much of what an adapter can issue at most a rollout program makes of it. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { assetPath, readAsset } from '../base/node/assets.ts';
import { rolloutProgram } from '../rollout/webgpu/program/programs.ts';
import type { IssueRate } from './issue-rate.ts';
import type { Timing } from './timing.ts';
import type { BenchWork } from './work.ts';

/** What one environment step of a rollout program takes, counted from its text. */
export interface StepOperations {
  readonly operations: number;
  /** the same, an addition of a product counted with the product as one */
  readonly fused: number;
  /** lines of loops whose passes nothing tells, which count as one pass */
  readonly unbounded: readonly number[];
}

export interface IssueShare extends StepOperations {
  readonly issueRate: IssueRate;
  /** steps per second at which every issued operation is one of the step's */
  readonly bound: number;
  /** steps per second that were measured */
  readonly stepsPerSecond: number;
  readonly clock: 'gpu' | 'wall';
  /** of the bound */
  readonly share: number;
}

/** Values of the fields of module variables, in order, that say how often loops pass. */
interface KnownFields {
  readonly fields?: Readonly<Record<string, readonly number[]>>;
}

/** The contract of `bench/operations.mjs`, which only a checkout has. */
export interface OperationCounter {
  /** one pass of the `while` loop of `entry` */
  operationsOfLoop(code: string, entry: string, known?: KnownFields): StepOperations;
  /** one call */
  operationsOfFunction(code: string, name: string, known?: KnownFields): StepOperations;
  readonly weights: readonly { readonly names: readonly string[]; readonly count: number; readonly reason: string }[];
}

/** The counter of this checkout; null in an installed package, and where its parser is not installed. */
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

/** The program's episode loop, with the environment's constants where they say how often a loop passes. */
export function stepOperations({ env, policy }: BenchWork, counter: OperationCounter): StepOperations {
  const fields = { env_params: Object.values(env.params) };
  return counter.operationsOfLoop(rolloutProgram(env, policy, readAsset).code, 'play', { fields });
}

/** By the GPU's clock where it has one, so that what the host does is not held against the program. */
export function issueShare(step: StepOperations, issueRate: IssueRate, timing: Timing): IssueShare {
  const seconds = timing.gpuSeconds ?? timing.wallSeconds;
  const stepsPerSecond = timing.steps / seconds;
  const bound = issueRate.operationsPerSecond / step.fused;
  const clock = timing.gpuSeconds === null ? 'wall' : 'gpu';
  return { ...step, issueRate, bound, stepsPerSecond, clock, share: stepsPerSecond / bound };
}
