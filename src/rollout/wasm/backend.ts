/** The shaders without a GPU: compiled to WebAssembly with vectors of four lanes, on the calling thread. */
import { R2poError, UsageError } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import type { Policy } from '../../policies/policy.ts';
import type { Backend, PlayOptions } from '../backend.ts';
import { episodesOf, playSlices } from '../cpu/single-thread.ts';
import { allocateOutcomes } from '../cpu/slices.ts';
import type { CountedEpisodes, CountingOptions } from '../episode-counts.ts';
import { hostStatistics } from '../host-statistics.ts';
import {
  endCauses,
  firstSeed,
  type ProbeInput,
  type ProbeOutput,
  partOfJob,
  type RolloutJob,
  stepLimit,
  type Trace,
} from '../job.ts';
import { checkEpisode, checkJob, checkProbes, checkSeeds, maxEpisodes, maxMeasuredEpisodes } from '../job-checks.ts';
import { probeOutputOf, probeRowSize, probeWords, traceOfRecords, traceWords } from '../shader-records.ts';
import { checkCode, codeReason } from '../shader-support.ts';
import type { Measured, StatisticsRequest } from '../statistics.ts';
import { causeIn, stepsIn } from '../webgpu/episodes/outcome-word.ts';
import { envParamWords, seedWords } from '../webgpu/program/declarations.ts';
import type { ReadShader } from '../webgpu/program/programs.ts';
import { hasSimd, type ProgramInstance } from './instance.ts';
import { RolloutPrograms, WasmPlayer } from './player.ts';
import type { ShaderCheck } from './shader-check.ts';

/** Rows of one call of a program for start states or transitions. */
const rowsPerCall = 2 ** 16;

export class WasmBackend implements Backend {
  readonly id = 'wasm';
  readonly adapter = null;
  protected readonly programs: RolloutPrograms;
  #closed = false;

  /** @throws UsageError when the engine has no WebAssembly with SIMD */
  constructor(read: ReadShader, check: ShaderCheck) {
    if (!hasSimd()) {
      throw new UsageError(
        '--backend',
        'expected an engine with WebAssembly SIMD, got one without; use --backend cpu or another engine',
      );
    }
    this.programs = new RolloutPrograms(read, check);
  }

  supports(env: Env, policy: Policy | null): string | null {
    return codeReason(this.id, env, policy);
  }

  async play(job: RolloutJob, options: CountingOptions = {}): Promise<CountedEpisodes> {
    this.checkOpen();
    checkJob(job, maxEpisodes);
    checkCode(this.id, job.env, job.policy);
    const start = performance.now();
    options.signal?.throwIfAborted();
    const program = await this.programs.of(job.env, job.policy, 'nothing');
    const compileSeconds = (performance.now() - start) / 1000;
    const outcomes = allocateOutcomes(job.candidates.length * job.episodes, false);
    await playSlices(job, new WasmPlayer(program, stepLimit(job)), outcomes, options);
    return { ...episodesOf(outcomes, start), compileSeconds };
  }

  async measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured> {
    this.checkOpen();
    checkJob(job, maxMeasuredEpisodes);
    checkCode(this.id, job.env, job.policy);
    return hostStatistics((part, given) => this.play(part, given), job, request, options);
  }

  async trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace> {
    this.checkOpen();
    checkJob(job, maxMeasuredEpisodes);
    checkCode(this.id, job.env, job.policy);
    checkEpisode(job, candidate, episode);
    const { env } = job;
    const one = partOfJob(job, candidate, candidate + 1);
    const limit = stepLimit(job);
    const program = await this.programs.of(env, job.policy, 'all steps');
    const played = program.run(one, limit, { first: episode, count: 1, record: 0, recordWords: 0 }).outcomes;
    const total = new Float32Array(played.slice().buffer)[0]!;
    const length = stepsIn(played[1]!);
    const end = endCauses[causeIn(played[1]!)]!;
    const size = traceWords(env);
    // One record per number of steps played, 0 ... length: the state and the step that led to it.
    const range = { first: episode, count: 1, record: length + 1, recordWords: (length + 1) * size };
    const records = new Float32Array(program.run(one, limit, range).records.slice().buffer);
    return traceOfRecords(env, records, { seed: firstSeed(one, 0) + episode, return: total, length, end });
  }

  async resets(env: Env, seed: number, count: number): Promise<number[][]> {
    this.checkOpen();
    checkSeeds('resets', seed, count);
    checkCode(this.id, env, null);
    const instance = await this.programs.probe(env, 'resets');
    const rows: number[][] = [];
    for (let first = 0; first < count; first += rowsPerCall) {
      const some = Math.min(rowsPerCall, count - first);
      const given = [Uint32Array.of(some, ...seedWords(seed + first)), envParamWords(env)];
      rows.push(...rowsOf(instance, given, some, env.state.length));
    }
    return rows;
  }

  async probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]> {
    this.checkOpen();
    checkProbes(env, inputs, 'f32');
    checkCode(this.id, env, null);
    if (inputs.length === 0) return [];
    const instance = await this.programs.probe(env, 'transitions');
    const { steps, draws } = probeWords(env, inputs);
    const given = [Uint32Array.of(inputs.length), envParamWords(env), steps, draws];
    return rowsOf(instance, given, inputs.length, probeRowSize(env)).map((row) => probeOutputOf(env, row));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  protected checkOpen(): void {
    if (this.#closed) throw new R2poError('wasm', 'expected an open backend, got a closed one; open another');
  }
}

/** Runs a program with one row of `size` numbers per invocation, in the buffer after the given ones. */
function rowsOf(
  instance: ProgramInstance,
  given: readonly (Uint32Array | Float32Array)[],
  count: number,
  size: number,
): number[][] {
  const read = instance.place([...given, { words: count * size }]);
  instance.run(count);
  const values = new Float32Array(read(given.length).slice().buffer);
  return Array.from({ length: count }, (_, i) => Array.from(values.subarray(i * size, (i + 1) * size)));
}
