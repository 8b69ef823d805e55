/** The WebGPU backend: thousands of episodes per dispatch, one invocation each. */
import { R2poError } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import type { Policy } from '../../policies/policy.ts';
import type { Backend, PlayOptions } from '../backend.ts';
import { allocateOutcomes } from '../cpu/slices.ts';
import { hostStatistics } from '../host-statistics.ts';
import {
  type Episodes,
  endCauses,
  firstSeed,
  type ProbeInput,
  type ProbeOutput,
  partOfJob,
  type RolloutJob,
  type Trace,
} from '../job.ts';
import { checkEpisode, checkJob, checkProbes, checkSeeds, maxEpisodes, maxMeasuredEpisodes } from '../job-checks.ts';
import { probeOutputOf, probeRowSize, probeWords, traceOfRecords, traceWords } from '../shader-records.ts';
import { checkCode, codeReason } from '../shader-support.ts';
import type { Measured, StatisticsRequest } from '../statistics.ts';
import type { GpuDevice } from './device.ts';
import { defaultWorkgroup, EpisodeKernel, plainEntry } from './episodes/episode-kernel.ts';
import { causeIn, outcomeBytes, stepsIn } from './episodes/outcome-word.ts';
import { envParamWords, seedWords } from './program/declarations.ts';
import { ProgramCache } from './program/program-cache.ts';
import type { ReadShader } from './program/programs.ts';
import type { DispatchSize } from './run/dispatch-size.ts';
import { InFlight } from './run/in-flight.ts';
import { defaultSegment } from './run/memory-plan.ts';
import { type Kernel, Runner } from './run/runner.ts';
import { measure } from './statistics/device-statistics.ts';

/** Memory that the outcomes of one candidate may take, bytes. */
const defaultMemory = 2 ** 30;
/** Up to so many episodes the host is faster than the GPU at the statistics: on an H100 both take the same time for about 500. */
const episodesForHost = 2 ** 9;

/** Options of the WebGPU backend. */
export interface WebGpuOptions {
  /** an open device; the backend closes it, and opens another when it has failed */
  readonly gpu: GpuDevice;
  /** reads a WGSL file of the package by its path, `shaders/...` */
  readonly readShader: ReadShader;
  /** where statistics are computed; default: by the number of episodes and the kind of adapter */
  readonly statistics?: 'device' | 'host';
  /** bytes that the outcomes of one candidate may take on the device; beyond, episodes are played more than once */
  readonly memory?: number;
  /** maximum number of outcomes in one buffer, a power of two of 4096 or more */
  readonly segment?: number;
  /** invocations per workgroup of the programs that play episodes, 1 ... 256 */
  readonly workgroup?: number;
}

/** A device with its programs and buffers. */
interface GpuSession {
  readonly gpu: GpuDevice;
  readonly runner: Runner;
  readonly sizes: WeakMap<Kernel, DispatchSize>;
}

function gpuSessionOn(gpu: GpuDevice): GpuSession {
  return { gpu, runner: new Runner(gpu), sizes: new WeakMap() };
}

/** The WebGPU backend on an open device. */
export class WebGpuBackend implements Backend {
  readonly id = 'webgpu';
  readonly #options: WebGpuOptions;
  readonly #programs: ProgramCache;
  #session: GpuSession;
  /** Calls share the device's buffers, so they take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: WebGpuOptions) {
    this.#options = options;
    this.#programs = new ProgramCache(options.readShader);
    this.#session = gpuSessionOn(options.gpu);
  }

  get adapter(): string {
    return this.#session.gpu.adapter.name;
  }

  supports(env: Env, policy: Policy | null): string | null {
    return codeReason(this.id, env, policy);
  }

  play(job: RolloutJob, options: PlayOptions = {}): Promise<Episodes> {
    checkJob(job, maxEpisodes);
    checkCode(this.id, job.env, job.policy);
    return this.#inTurn((session) => this.#play(session, job, options));
  }

  measure(job: RolloutJob, request: StatisticsRequest, options: PlayOptions = {}): Promise<Measured> {
    checkJob(job, maxMeasuredEpisodes);
    checkCode(this.id, job.env, job.policy);
    return this.#inTurn((session) => this.#measure(session, job, request, options));
  }

  trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    checkJob(job, maxMeasuredEpisodes);
    checkCode(this.id, job.env, job.policy);
    checkEpisode(job, candidate, episode);
    const one = partOfJob(job, candidate, candidate + 1);
    return this.#inTurn((session) => this.#trace(session, one, episode));
  }

  resets(env: Env, seed: number, count: number): Promise<number[][]> {
    checkSeeds('resets', seed, count);
    checkCode(this.id, env, null);
    return this.#inTurn(async ({ runner }) => {
      const given = { 'reset job': Uint32Array.of(count, ...seedWords(seed)), environment: envParamWords(env) };
      return this.#each(runner, env, 'resets', given, count, env.state.length);
    });
  }

  probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]> {
    checkProbes(env, inputs, 'f32');
    checkCode(this.id, env, null);
    return this.#inTurn(async ({ runner }) => {
      if (inputs.length === 0) return [];
      const { steps, draws } = probeWords(env, inputs);
      const given = {
        'probe job': Uint32Array.of(inputs.length),
        environment: envParamWords(env),
        'probe inputs': steps,
        draws,
      };
      const rows = await this.#each(runner, env, 'transitions', given, inputs.length, probeRowSize(env));
      return rows.map((row) => probeOutputOf(env, row));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    this.#session.gpu.close();
  }

  #inTurn<T>(work: (session: GpuSession) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => work(await this.#usable()));
    this.#turn = result.catch(() => {});
    return result;
  }

  /** The session, or one on a new device when the old one has failed: the failed call has already been rejected. */
  async #usable(): Promise<GpuSession> {
    if (this.#closed) throw new R2poError('webgpu', 'expected an open backend, got a closed one; open another');
    if (this.#session.gpu.failed) {
      this.#session.gpu.close();
      this.#session = gpuSessionOn(await this.#session.gpu.reopen());
    }
    return this.#session;
  }

  #rollout({ gpu, runner, sizes }: GpuSession, job: RolloutJob): Promise<EpisodeKernel> {
    const { segment = defaultSegment, workgroup = defaultWorkgroup } = this.#options;
    const bindingBytes = gpu.device.limits.maxStorageBufferBindingSize;
    return EpisodeKernel.prepare(runner, job, { sizes, bindingBytes, segment, workgroup, programs: this.#programs });
  }

  async #play(session: GpuSession, job: RolloutJob, options: PlayOptions): Promise<Episodes> {
    const { signal, timing = false, onProgress } = options;
    const started = performance.now();
    const rollout = await this.#rollout(session, job);
    const total = job.candidates.length * job.episodes;
    const { returns, lengths, ends } = allocateOutcomes(total, false);
    let steps = 0;
    let finished = 0;
    let gpuSeconds: number | null = timing ? 0 : null;
    const flight = new InFlight();
    try {
      for (const block of rollout.blocks) {
        rollout.begin(block);
        for (const segment of block.segments) {
          const count = block.count * segment.count;
          for (let done = 0; done < count; ) {
            signal?.throwIfAborted();
            const first = segment.first + done;
            const slice = { first, count: rollout.size.next(count - done, rollout.limit.steps), at: 0 };
            const from = block.first * job.episodes + first;
            const outcomes = rollout.outcomes(slice.count);
            const copies = [{ from: outcomes, bytes: slice.count * outcomeBytes }];
            const work = { dispatches: [rollout.dispatch(slice, outcomes)], copies, timing };
            const submission = session.runner.submit(work, (results) => {
              const totals = results.f32(0);
              const words = results.u32(0);
              let sum = 0;
              for (let i = 0; i < slice.count; i++) {
                const word = words[2 * i + 1]!;
                const length = stepsIn(word);
                returns[from + i] = totals[2 * i]!;
                lengths[from + i] = length;
                ends[from + i] = causeIn(word);
                sum += length;
              }
              return { played: sum, gpuSeconds: results.gpuSeconds };
            });
            await flight.add(submission, (result, seconds) => {
              rollout.size.observe(result.played, seconds);
              steps += result.played;
              finished += slice.count;
              onProgress?.(finished / total);
              gpuSeconds = gpuSeconds === null || result.gpuSeconds === null ? null : gpuSeconds + result.gpuSeconds;
            });
            done += slice.count;
          }
        }
      }
      await flight.drain();
    } finally {
      await flight.settle();
    }
    const { compileSeconds } = rollout;
    return { returns, lengths, ends, steps, seconds: (performance.now() - started) / 1000, gpuSeconds, compileSeconds };
  }

  async #measure(
    session: GpuSession,
    job: RolloutJob,
    request: StatisticsRequest,
    options: PlayOptions,
  ): Promise<Measured> {
    const { statistics = this.#statisticsSide(session, job), memory = defaultMemory } = this.#options;
    if (statistics === 'host') {
      // One part after the other: they share the buffers.
      let turn: Promise<unknown> = Promise.resolve();
      const play = (part: RolloutJob, given: PlayOptions): Promise<Episodes> => {
        const played = turn.then(() => this.#play(session, part, given));
        turn = played.catch(() => undefined);
        return played;
      };
      return hostStatistics(play, job, request, options);
    }
    const started = performance.now();
    const rollout = await this.#rollout(session, job);
    const { device } = session.gpu;
    const { records, gpuSeconds, compileSeconds } = await measure(rollout, request, {
      ...options,
      device,
      memory,
      programs: this.#programs,
    });
    return {
      steps: records.steps(0, job.candidates.length),
      seconds: (performance.now() - started) / 1000,
      gpuSeconds,
      compileSeconds,
      means: records.means(),
      of: (candidate) => records.of(candidate),
    };
  }

  /** A software adapter runs on the host's processor, which sums up faster by itself. */
  #statisticsSide({ gpu }: GpuSession, { candidates, episodes }: RolloutJob): 'device' | 'host' {
    const fits = episodes <= maxEpisodes;
    return fits && (gpu.adapter.software || candidates.length * episodes <= episodesForHost) ? 'host' : 'device';
  }

  /** `job` has one candidate. */
  async #trace(session: GpuSession, job: RolloutJob, episode: number): Promise<Trace> {
    const { env } = job;
    const { runner } = session;
    const rollout = await this.#rollout(session, job);
    rollout.begin(rollout.blocks[0]!);
    const outcomes = (count: number) => ({ from: rollout.outcomes(count), bytes: count * outcomeBytes });
    const seed = firstSeed(job, 0) + episode;
    const one = outcomes(1);
    const play = { dispatches: [rollout.dispatch({ first: episode, count: 1, at: 0 }, one.from)], copies: [one] };
    const { total, length, end } = await runner.submit(play, (result) => {
      const word = result.u32(0)[1]!;
      return { total: result.f32(0)[0]!, length: stepsIn(word), end: endCauses[causeIn(word)]! };
    });

    const size = traceWords(env);
    // One record per number of steps played, 0 ... length: the state and the step that led to it.
    const records = new Float32Array((length + 1) * size);
    const maxRecords = Math.floor(session.gpu.device.limits.maxStorageBufferBindingSize / (4 * size));
    let recordedTotal = Number.NaN;
    for (let from = 0; from <= length; ) {
      const left = Math.min(length + 1 - from, maxRecords);
      const count = rollout.size.next(left, Math.max(1, length));
      const kept = outcomes(count);
      const dispatch = rollout.dispatch({ first: episode, count, at: 0, record: from + 1 }, kept.from);
      const copies = [kept, rollout.traceCopy(count)];
      recordedTotal = await runner.submit({ dispatches: [dispatch], copies }, (result) => {
        records.set(result.f32(1), from * size);
        return result.f32(0)[2 * (count - 1)]!;
      });
      from += count;
    }
    if (!Object.is(recordedTotal, total)) {
      throw new R2poError(
        'webgpu',
        `expected the recorded episode (seed ${seed}) to return ${total} as when it was played, got ${recordedTotal}; ` +
          'this adapter does not repeat its own results: update its driver or use --backend cpu',
      );
    }
    return traceOfRecords(env, records, { seed, return: total, length, end });
  }

  /** Runs a program with one row of `size` numbers per invocation. */
  async #each(
    runner: Runner,
    env: Env,
    what: 'resets' | 'transitions',
    given: Readonly<Record<string, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>>,
    count: number,
    size: number,
  ): Promise<number[][]> {
    const inputs = Object.entries(given);
    const kernel = await runner.kernel(this.#programs.probe(env, what), plainEntry(what, inputs.length, 1));
    const output = { from: runner.buffer('rows', count * size * 4), bytes: count * size * 4 };
    const bindings = [...inputs.map(([name, data]) => runner.upload(name, data)), output.from];
    const dispatch = {
      kernel,
      bindings: bindings.map((buffer) => ({ buffer })),
      workgroups: Math.ceil(count / defaultWorkgroup),
    };
    return runner.submit({ dispatches: [dispatch], copies: [output] }, (results) => {
      const values = results.f32(0);
      return Array.from({ length: count }, (_, i) => Array.from(values.subarray(i * size, (i + 1) * size)));
    });
  }
}
