/** The WebGPU backend: thousands of episodes per dispatch, one invocation each. */
import { R2poError } from '../../base/errors.ts';
import { actionSize, type Env, observationSize } from '../../envs/env.ts';
import { policyValueCount, policyValues } from '../../policies/policy.ts';
import {
  type Backend,
  checkEpisode,
  checkJob,
  checkProbes,
  checkSeeds,
  type Episodes,
  endCauses,
  type Measured,
  maxEpisodes,
  maxMeasuredEpisodes,
  type PlayOptions,
  type ProbeInput,
  type ProbeOutput,
  type RolloutJob,
  stepLimit,
  type Trace,
} from '../backend.ts';
import { type StatisticsRequest, statisticsByPlaying } from '../statistics.ts';
import { type GpuDevice, openDevice } from './device.ts';
import { DispatchSize } from './dispatch-size.ts';
import { envParamWords, seedWords } from './layout.ts';
import { probeProgram, type ReadShader, rolloutProgram } from './programs.ts';
import { type Kernel, type PassResult, Runner } from './runner.ts';

/** `Outcome` in shaders/rollout.wgsl: two words per episode, the second with steps below and end cause above. */
const outcomeBytes = 8;
const stepMask = 0x3fffffff;
const causeShift = 30;

export interface WebGpuOptions {
  /** an open device; the backend closes it */
  readonly gpu?: GpuDevice;
  /** replaces the shipped shaders, e.g. by a changed copy in a test */
  readonly readShader?: ReadShader;
}

/** Opens the WebGPU backend. Throws `AdapterError` when there is no adapter. */
export async function openWebGpuBackend(options: WebGpuOptions = {}): Promise<Backend> {
  return new WebGpuBackend(options.gpu ?? (await openDevice()), options.readShader);
}

/** One dispatch of the rollout program; see `Job` in shaders/rollout.wgsl. */
interface Slice {
  readonly first: number;
  readonly count: number;
  readonly record: number;
}

class WebGpuBackend implements Backend {
  readonly id = 'webgpu';
  readonly adapter: string;
  readonly #gpu: GpuDevice;
  readonly #runner: Runner;
  readonly #read: ReadShader | undefined;
  readonly #sizes = new WeakMap<Kernel, DispatchSize>();
  /** Calls share the device's buffers, so they take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(gpu: GpuDevice, read: ReadShader | undefined) {
    this.#gpu = gpu;
    this.#runner = new Runner(gpu);
    this.#read = read;
    this.adapter = gpu.adapter.name;
  }

  supports(): null {
    return null;
  }

  play(job: RolloutJob, options: PlayOptions = {}): Promise<Episodes> {
    checkJob(job, maxEpisodes);
    return this.#inTurn(() => this.#play(job, options));
  }

  async measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured> {
    checkJob(job, maxMeasuredEpisodes);
    return statisticsByPlaying((part, given) => this.play(part, given), job, request, options);
  }

  trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    checkJob(job, maxMeasuredEpisodes);
    checkEpisode(job, candidate, episode);
    return this.#inTurn(() => this.#trace(job, candidate, episode));
  }

  resets(env: Env, seed: number, count: number): Promise<number[][]> {
    checkSeeds('resets', seed, count);
    return this.#inTurn(async () => {
      const kernel = await this.#runner.kernel(probeProgram(env, 'resets', this.#read), 'resets', 2, 1);
      const { lo, hi } = seedWords(seed);
      const size = env.state.length;
      const pass = {
        kernel,
        invocations: count,
        inputs: [Uint32Array.of(count, lo, hi), envParamWords(env)],
        outputBytes: [count * size * 4],
      };
      return this.#runner.run(pass, (result) => rows(result.f32(0), size));
    });
  }

  probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]> {
    checkProbes(env, inputs);
    return this.#inTurn(async () => {
      if (inputs.length === 0) return [];
      const kernel = await this.#runner.kernel(probeProgram(env, 'transitions', this.#read), 'transitions', 4, 1);
      const stateSize = env.state.length;
      const obsSize = observationSize(env.observation);
      const size = stateSize + obsSize + 2;
      const given = new Float32Array(inputs.length * (stateSize + actionSize(env.action)));
      const draws = new Float64Array(inputs.length * env.stepDraws);
      let at = 0;
      inputs.forEach((input, i) => {
        given.set(input.state, at);
        given.set(input.action, at + stateSize);
        draws.set(input.draws ?? [], i * env.stepDraws);
        at += stateSize + input.action.length;
      });
      const pass = {
        kernel,
        invocations: inputs.length,
        inputs: [Uint32Array.of(inputs.length), envParamWords(env), given, new Uint32Array(draws.buffer)],
        outputBytes: [inputs.length * size * 4],
      };
      return this.#runner.run(pass, (result) =>
        rows(result.f32(0), size).map((row) => ({
          state: row.slice(0, stateSize),
          obs: row.slice(stateSize, stateSize + obsSize),
          reward: row[size - 2],
          terminated: row[size - 1] === 1,
        })),
      );
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#gpu.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #play(job: RolloutJob, { signal, timing = false }: PlayOptions): Promise<Episodes> {
    const started = performance.now();
    const rollout = await this.#prepare(job);
    const total = job.candidates.length * job.episodes;
    const returns = new Float64Array(total);
    const lengths = new Uint32Array(total);
    const ends = new Uint8Array(total);
    let steps = 0;
    let gpuSeconds: number | null = timing ? 0 : null;
    for (let first = 0; first < total; ) {
      signal?.throwIfAborted();
      const count = rollout.size.next(total - first, rollout.maxSteps);
      const before = performance.now();
      const played = await rollout.run({ first, count, record: 0 }, timing, (result) => {
        const totals = result.f32(0);
        const packed = result.u32(0);
        let sum = 0;
        for (let i = 0; i < count; i++) {
          const word = packed[2 * i + 1];
          const length = word & stepMask;
          returns[first + i] = totals[2 * i];
          lengths[first + i] = length;
          ends[first + i] = word >>> causeShift;
          sum += length;
        }
        return { steps: sum, gpuSeconds: result.gpuSeconds };
      });
      rollout.size.observe(played.steps, (performance.now() - before) / 1000);
      steps += played.steps;
      gpuSeconds = gpuSeconds === null || played.gpuSeconds === null ? null : gpuSeconds + played.gpuSeconds;
      first += count;
    }
    const { compileSeconds } = rollout;
    return { returns, lengths, ends, steps, seconds: (performance.now() - started) / 1000, gpuSeconds, compileSeconds };
  }

  async #trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    const { env } = job;
    const rollout = await this.#prepare(job);
    const first = candidate * job.episodes + episode;
    const seed = job.seed + episode;
    const played = await rollout.run({ first, count: 1, record: 0 }, false, (result) => {
      const word = result.u32(0)[1];
      return { total: result.f32(0)[0], length: word & stepMask, end: endCauses[word >>> causeShift] };
    });
    const { total, length, end } = played;

    const size = recordSize(env);
    // One record per number of steps played, 0 ... length: where the episode stands and what led there.
    const records = new Float32Array((length + 1) * size);
    let recordedTotal = Number.NaN;
    for (let from = 0; from <= length; ) {
      const count = rollout.size.next(length + 1 - from, Math.max(1, length));
      recordedTotal = await rollout.run({ first, count, record: from + 1 }, false, (result) => {
        records.set(result.f32(1), from * size);
        return result.f32(0)[2 * (count - 1)];
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
    const obsAt = env.state.length;
    const actionAt = obsAt + observationSize(env.observation);
    const part = (record: number, from: number, to: number): number[] =>
      Array.from(records.subarray(record * size + from, record * size + to));
    return {
      env: env.id,
      seed,
      return: total,
      length,
      end,
      steps: Array.from({ length }, (_, t) => ({
        state: part(t, 0, obsAt),
        obs: part(t, obsAt, actionAt),
        action: part(t + 1, actionAt, size - 1),
        reward: records[(t + 2) * size - 1],
      })),
      finalState: part(length, 0, obsAt),
    };
  }

  /** Compiles the program of a job and uploads what all its dispatches read. */
  async #prepare(job: RolloutJob): Promise<{
    readonly maxSteps: number;
    readonly size: DispatchSize;
    readonly compileSeconds: number;
    run<T>(slice: Slice, timing: boolean, consume: (result: PassResult) => T): Promise<T>;
  }> {
    const { env, policy } = job;
    const started = performance.now();
    const kernel = await this.#runner.kernel(rolloutProgram(env, policy, this.#read), 'play', 3, 2);
    const compileSeconds = (performance.now() - started) / 1000;
    let size = this.#sizes.get(kernel);
    if (!size) {
      size = new DispatchSize();
      this.#sizes.set(kernel, size);
    }
    const limit = stepLimit(job);
    const { lo, hi } = seedWords(job.seed);
    const valueCount = policyValueCount(policy);
    const candidates = new Float32Array(job.candidates.length * valueCount);
    job.candidates.forEach((params, c) => {
      candidates.set(policyValues(policy, params), c * valueCount);
    });
    let uploads: [Uint32Array<ArrayBuffer> | null, Float32Array<ArrayBuffer> | null] = [envParamWords(env), candidates];
    return {
      maxSteps: limit.steps,
      size,
      compileSeconds,
      run: (slice, timing, consume) => {
        const { first, count, record } = slice;
        const words = [lo, hi, job.episodes, first, count, limit.steps, endCauses.indexOf(limit.cause), record];
        const inputs = [Uint32Array.from(words), ...uploads];
        uploads = [null, null];
        const recordBytes = record > 0 ? count * recordSize(env) * 4 : 0;
        const outputBytes = [count * outcomeBytes, recordBytes];
        return this.#runner.run({ kernel, invocations: count, inputs, outputBytes, timing }, consume);
      },
    };
  }
}

/** Words per recorded step: state, observation, action, reward. */
function recordSize(env: Env): number {
  return env.state.length + observationSize(env.observation) + actionSize(env.action) + 1;
}

function rows(values: Float32Array, size: number): number[][] {
  return Array.from({ length: values.length / size }, (_, i) => Array.from(values.subarray(i * size, (i + 1) * size)));
}
