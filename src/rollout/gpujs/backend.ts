/**
 * Episodes as kernels of GPU.js, an independent compiler: a third opinion on the dynamics, in f32. In Node, GPU.js
 * translates them to WebAssembly; its WebGPU mode would use the shading language's own sine and cosine, whose
 * accuracy is not enough here.
 */
import { nextTurn } from '../../base/async.ts';
import { R2poError, UsageError } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { policyKinds } from '../../policies/index.ts';
import type { Policy } from '../../policies/policy.ts';
import type { Backend, PlayOptions } from '../backend.ts';
import { episodesOf } from '../cpu/single-thread.ts';
import { allocateOutcomes } from '../cpu/slices.ts';
import { hostStatistics } from '../host-statistics.ts';
import {
  type Episodes,
  endCauses,
  firstSeed,
  type ProbeInput,
  type ProbeOutput,
  type RolloutJob,
  stepLimit,
  type Trace,
} from '../job.ts';
import { checkEpisode, checkJob, checkProbes, maxEpisodes, maxMeasuredEpisodes } from '../job-checks.ts';
import { codeReason } from '../shader-support.ts';
import { startStates } from '../start-states.ts';
import type { Measured, StatisticsRequest } from '../statistics.ts';
import { episodeKernel, type KernelPolicy, returnedEntries, stepKernel } from './kernel.ts';
import { type KernelEnv, withKernel } from './kernels/index.ts';

/** What is used of the package; its own types leave some of it out. */
export interface GpuJs {
  readonly GPU: new (settings: { readonly mode: 'webasm' }) => Gpu;
  /** Flat numbers as an array of this size, the innermost dimension first. */
  readonly input: (values: Float32Array, size: readonly number[]) => unknown;
}
interface Gpu {
  createKernel(text: string, settings: Readonly<Record<string, unknown>>): GpujsProgram;
  destroy(): Promise<void>;
}
interface GpujsProgram {
  (...inputs: readonly unknown[]): readonly (readonly ArrayLike<number>[])[];
  setOutput(size: readonly number[]): void;
  /** why it is not what was asked for */
  readonly fallbackReason?: string | null;
}

/** Steps in one call of a kernel, which blocks the thread: half a second or less. */
const callSteps = 20_000_000;
/** Counts are f32 in a kernel. */
const maxSteps = 2 ** 24;

const outcome = ['total', 'length', 'ended'];
const last = ['action', 'reward'];

export class GpujsBackend implements Backend {
  readonly id = 'gpujs';
  readonly adapter: string | null;
  readonly #gpujs: GpuJs;
  readonly #gpu: Gpu;
  /** compiled kernels by their text and numbers */
  readonly #kernels = new Map<string, GpujsProgram>();

  /** `adapter`: name and version of the loaded package */
  constructor(gpujs: GpuJs, adapter: string | null) {
    this.adapter = adapter;
    this.#gpujs = gpujs;
    this.#gpu = new gpujs.GPU({ mode: 'webasm' });
  }

  supports(env: Env, policy: Policy | null): string | null {
    if (withKernel(env) === null) {
      const known = envs.filter(withKernel).map((e) => e.id);
      return `the backend "gpujs" has kernels for ${known.join(', ')}, not for ${env.id}; use auto, webgpu, wasm or cpu`;
    }
    if (policy !== null && !playsPolicy(policy)) {
      const known = policyKinds.filter((k) => k.accepts(env) === null && playsPolicy(k.build(env, {})));
      const list = known.map(({ id }) => `"${id}"`).join(', ');
      return `the backend "gpujs" plays the policy kind ${list}, not "${policy.kind}"; use auto, webgpu, wasm or cpu`;
    }
    return codeReason(this.id, env, policy, env.gpujs !== null);
  }

  async play(job: RolloutJob, { signal, onProgress }: PlayOptions = {}): Promise<Episodes> {
    checkJob(job, maxEpisodes);
    const { env, policy } = this.#supported(job);
    const limit = checkedLimit(job);
    const started = performance.now();
    const { candidates, episodes } = job;
    const total = candidates.length * episodes;
    const outcomes = allocateOutcomes(total, false);
    const text = episodeKernel(env, policy, outcome);
    const chunk = Math.max(1, Math.floor(callSteps / limit.steps));
    const terminated = endCauses.indexOf('terminated');
    const cut = endCauses.indexOf(limit.cause);
    for (let from = 0; from < episodes; from += chunk) {
      const count = Math.min(chunk, episodes - from);
      const limits = new Float32Array(count).fill(limit.steps);
      let seed = -1;
      let starts: Float32Array = new Float32Array(0);
      for (const [c, params] of candidates.entries()) {
        if (firstSeed(job, c) !== seed) {
          seed = firstSeed(job, c);
          starts = flat(await this.resets(env, seed + from, count));
        }
        if (from > 0 || c > 0) await nextTurn();
        signal?.throwIfAborted();
        const weights = this.#rows(Float32Array.from(params), params.length);
        const rows = this.#run(env, text, count, [this.#rows(starts, env.state.length), weights, limits]);
        rows.forEach(([sum, length, ended], i) => {
          const at = c * episodes + from + i;
          outcomes.returns[at] = sum!;
          outcomes.lengths[at] = length!;
          outcomes.ends[at] = ended === 1 ? terminated : cut;
        });
        onProgress?.((from * candidates.length + (c + 1) * count) / total);
      }
    }
    return episodesOf(outcomes, started);
  }

  async measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured> {
    checkJob(job, maxMeasuredEpisodes);
    return hostStatistics((part, given) => this.play(part, given), job, request, options);
  }

  async trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    checkJob(job, maxMeasuredEpisodes);
    checkEpisode(job, candidate, episode);
    const { env, policy } = this.#supported(job);
    const limit = checkedLimit(job);
    const seed = firstSeed(job, candidate) + episode;
    const start = flat(await this.resets(env, seed, 1));
    const params = job.candidates[candidate]!;
    const weights = this.#rows(Float32Array.from(params), params.length);
    // Thread k plays the first k steps again: what a kernel returns is where it ends.
    const after = (returning: readonly string[], limits: Float32Array): number[][] => {
      const size = env.state.length;
      const starts = Float32Array.from({ length: limits.length * size }, (_, i) => start[i % size]!);
      const text = episodeKernel(env, policy, returning);
      return this.#run(env, text, limits.length, [this.#rows(starts, size), weights, limits]);
    };
    const [sum, length, ended] = after(outcome, Float32Array.of(limit.steps))[0]! as [number, number, number];
    const upTo = Float32Array.from({ length: length + 1 }, (_, k) => k);
    const states = this.#gather(
      env.state.map((row) => row.name),
      (names) => after(names, upTo),
    );
    const observations = this.#gather(observedNames(env), (names) => after(names, upTo));
    const taken = after(last, upTo.subarray(1));
    return {
      env: env.id,
      seed,
      return: sum,
      length,
      end: ended === 1 ? 'terminated' : limit.cause,
      steps: taken.map(([action, reward], t) => ({
        state: states[t]!,
        obs: observations[t]!,
        action: [action!],
        reward: reward!,
      })),
      finalState: states[length]!,
    };
  }

  /** Start states are drawn on the host, in float64, and rounded to f32 as they go into a kernel. */
  async resets(env: Env, seed: number, count: number): Promise<number[][]> {
    return startStates(this.#supportedEnv(env), seed, count).map((state) => state.map(Math.fround));
  }

  async probe(given: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]> {
    checkProbes(given, inputs, 'f32');
    const env = this.#supportedEnv(given);
    if (inputs.length === 0) return [];
    const starts = this.#rows(flat(inputs.map(({ state }) => state)), env.state.length);
    const actions = Float32Array.from(inputs, ({ action }) => action[0]!);
    const run = (names: readonly string[]): number[][] =>
      this.#run(env, stepKernel(env, names), inputs.length, [starts, actions]);
    const states = this.#gather(
      env.state.map((row) => row.name),
      run,
    );
    const observations = this.#gather(observedNames(env), run);
    return run(['reward', 'terminated']).map(([reward, terminated], i) => ({
      state: states[i]!,
      obs: observations[i]!,
      reward: reward!,
      terminated: terminated === 1,
    }));
  }

  async close(): Promise<void> {
    this.#kernels.clear();
    await this.#gpu.destroy();
  }

  #supportedEnv(env: Env): KernelEnv {
    const unsupported = this.supports(env, null);
    if (unsupported !== null) throw new UsageError('--backend', unsupported);
    return withKernel(env)!;
  }

  #supported({ env, policy }: RolloutJob): { readonly env: KernelEnv; readonly policy: KernelPolicy } {
    const unsupported = this.supports(env, policy);
    if (unsupported !== null) throw new UsageError('--backend', unsupported);
    return { env: withKernel(env)!, policy: policy as KernelPolicy };
  }

  /** Numbers as rows of `width`. */
  #rows(values: Float32Array, width: number): unknown {
    return this.#gpujs.input(values, [width, values.length / width]);
  }

  /** More entries than one kernel returns: as many kernels as it takes. */
  #gather(names: readonly string[], run: (names: readonly string[]) => number[][]): number[][] {
    let rows: number[][] = [];
    for (let from = 0; from < names.length; from += returnedEntries) {
      const some = names.slice(from, from + returnedEntries);
      const part = run(some).map((row) => row.slice(0, some.length));
      rows = from === 0 ? part : rows.map((row, i) => [...row, ...part[i]!]);
    }
    return rows;
  }

  /** Runs a kernel on `count` threads; what it returns per thread. */
  #run(env: Env, text: string, count: number, inputs: readonly unknown[]): number[][] {
    const key = `${text}\n${JSON.stringify(env.params)}`;
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      kernel = this.#gpu.createKernel(text, {
        constants: { ...env.params },
        output: [count, 1],
        returnType: 'Array(4)',
        dynamicOutput: true,
        dynamicArguments: true,
        loopMaxIterations: maxSteps,
      });
      this.#kernels.set(key, kernel);
    }
    kernel.setOutput([count, 1]);
    const [rows] = kernel(...inputs);
    const { fallbackReason } = kernel;
    if (fallbackReason) {
      throw new R2poError(
        'gpujs',
        `expected a WebAssembly kernel, got another: ${fallbackReason}; use the backend "cpu" or "webgpu" instead`,
      );
    }
    return Array.from(rows!, (row) => Array.from(row));
  }
}

function playsPolicy(policy: Policy): policy is KernelPolicy {
  return policy.expressions !== undefined;
}

const observedNames = (env: KernelEnv): string[] => env.gpujs.observe.map((_, i) => `observed${i}`);

const flat = (rows: readonly (readonly number[])[]): Float32Array => Float32Array.from(rows.flat());

function checkedLimit(job: RolloutJob): ReturnType<typeof stepLimit> {
  const limit = stepLimit(job);
  if (limit.steps > maxSteps) {
    throw new UsageError(
      'evaluate',
      `expected at most ${maxSteps} steps on the backend "gpujs", got ${limit.steps}; lower max-steps`,
    );
  }
  return limit;
}
