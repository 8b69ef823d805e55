/** The program that plays (and records) the episodes of a job, and what its dispatches are given. */
import { shaderExpansion } from '../../../policies/policy.ts';
import { type EndCause, endCauses, firstSeed, type RolloutJob, stepLimit } from '../../job.ts';
import { traceWords } from '../../shader-records.ts';
import { envParamWords, seedWords } from '../program/declarations.ts';
import type { ProgramCache } from '../program/program-cache.ts';
import { DispatchSize } from '../run/dispatch-size.ts';
import { type EpisodeBlock, planBlocks } from '../run/memory-plan.ts';
import type { Copy, Dispatch, EntryPoint, Kernel, Runner } from '../run/runner.ts';
import { recordSize } from '../statistics/statistics-declarations.ts';
import { outcomeBytes } from './outcome-word.ts';

/** Invocations per workgroup: two warps of most GPUs, so that a group whose episodes are over makes room soon. */
export const defaultWorkgroup = 64;

/** For programs whose invocations have nothing to do with each other. */
export function plainEntry(name: string, inputs: number, outputs: number, workgroup = defaultWorkgroup): EntryPoint {
  return { name, inputs, outputs, constants: { WORKGROUP_SIZE: workgroup } };
}

/** One dispatch; see `Job` in shaders/rollout.wgsl. */
export interface Slice {
  /** flat index among the episodes of the block */
  readonly first: number;
  readonly count: number;
  /** outcome of the buffer that the first one becomes */
  readonly at: number;
  readonly record?: number;
}

export interface EpisodeKernelOptions {
  readonly sizes: WeakMap<Kernel, DispatchSize>;
  /** largest buffer of a program */
  readonly bindingBytes: number;
  /** maximum number of outcomes in one buffer */
  readonly segment: number;
  /** invocations per workgroup */
  readonly workgroup: number;
  readonly programs: ProgramCache;
}

export class EpisodeKernel {
  readonly runner: Runner;
  readonly job: RolloutJob;
  readonly limit: { readonly steps: number; readonly cause: EndCause };
  /** how many episodes a dispatch of this program may hold */
  readonly size: DispatchSize;
  readonly compileSeconds: number;
  readonly blocks: readonly EpisodeBlock[];
  readonly #kernel: Kernel;
  readonly #workgroup: number;
  readonly #params: GPUBuffer;
  #candidates: GPUBuffer | null = null;
  #seeds: GPUBuffer | null = null;

  private constructor(
    runner: Runner,
    job: RolloutJob,
    kernel: Kernel,
    compileSeconds: number,
    { sizes, bindingBytes, segment, workgroup }: EpisodeKernelOptions,
  ) {
    this.runner = runner;
    this.job = job;
    this.limit = stepLimit(job);
    this.compileSeconds = compileSeconds;
    this.#kernel = kernel;
    this.#workgroup = workgroup;
    const size = sizes.get(kernel) ?? new DispatchSize();
    sizes.set(kernel, size);
    this.size = size;
    this.blocks = planBlocks({
      candidates: job.candidates.length,
      episodes: job.episodes,
      // Its values go to the device, its record comes back.
      candidateBytes: 4 * Math.max(shaderExpansion(job.policy).count, recordSize),
      bindingBytes,
      segment,
    });
    this.#params = runner.upload('environment', envParamWords(job.env));
  }

  /** Compiles the program of a job, unless it was compiled before. */
  static async prepare(runner: Runner, job: RolloutJob, options: EpisodeKernelOptions): Promise<EpisodeKernel> {
    const started = performance.now();
    const program = options.programs.rollout(job.env, job.policy, 'a step each');
    const kernel = await runner.kernel(program, plainEntry('play', 4, 2, options.workgroup));
    return new EpisodeKernel(runner, job, kernel, (performance.now() - started) / 1000, options);
  }

  /** Uploads the candidates of a block and their seeds; the dispatches from now on play them. */
  begin({ first, count }: EpisodeBlock): void {
    const { policy, candidates } = this.job;
    const form = shaderExpansion(policy);
    const values = new Float32Array(count * form.count);
    for (let c = 0; c < count; c++) values.set(form.expand(candidates[first + c]!), c * form.count);
    this.#candidates = this.runner.upload('candidates', values);
    // One seed where all candidates share it.
    const seedCount = typeof this.job.seed === 'number' ? 1 : count;
    const words = Array.from({ length: seedCount }, (_, c) => seedWords(firstSeed(this.job, first + c))).flat();
    this.#seeds = this.runner.upload('seeds', Uint32Array.from(words));
  }

  /** To be submitted before the next dispatch is made: both write their job into the same buffer. */
  dispatch({ first, count, at, record = 0 }: Slice, outcomes: GPUBuffer): Dispatch {
    const { job, limit, runner } = this;
    if (!this.#candidates || !this.#seeds) throw new Error('a block has to begin before its episodes are played');
    const cause = endCauses.indexOf(limit.cause);
    const ownSeeds = typeof job.seed === 'number' ? 0 : 1;
    const words = [ownSeeds, job.episodes, first, count, limit.steps, cause, at, record];
    const given = [runner.upload('rollout job', Uint32Array.from(words)), this.#params, this.#candidates, this.#seeds];
    const records = runner.buffer('trace', record > 0 ? count * traceWords(job.env) * 4 : 0);
    return {
      kernel: this.#kernel,
      bindings: [...given, outcomes, records].map((buffer) => ({ buffer })),
      workgroups: Math.ceil(count / this.#workgroup),
    };
  }

  /** The outcomes buffer of calls that need but one. */
  outcomes(count: number): GPUBuffer {
    return this.runner.buffer('outcomes', count * outcomeBytes);
  }

  /** What a recording dispatch of `count` invocations leaves. */
  traceCopy(count: number): Copy {
    const bytes = count * traceWords(this.job.env) * 4;
    return { from: this.runner.buffer('trace', bytes), bytes };
  }
}
