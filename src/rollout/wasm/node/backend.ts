/** The wasm backend in Node: on the calling thread or on worker threads, with the same results on any number. */
import { UnsupportedError } from '../../../base/errors.ts';
import { readAsset } from '../../../base/node/assets.ts';
import type { Env } from '../../../envs/env.ts';
import { policyKinds } from '../../../policies/index.ts';
import type { Backend } from '../../backend.ts';
import { threadsOf } from '../../cpu/node/backend.ts';
import { ThreadedPlay } from '../../cpu/node/threaded-play.ts';
import type { CountedEpisodes, CountingOptions } from '../../episode-counts.ts';
import type { RolloutJob } from '../../job.ts';
import { checkJob, maxEpisodes } from '../../job-checks.ts';
import { checkCode } from '../../shader-support.ts';
import { openDevice } from '../../webgpu/node/dawn.ts';
import { type ReadShader, rolloutProgram } from '../../webgpu/program/programs.ts';
import { WasmBackend } from '../backend.ts';
import { compiledModule } from '../module-cache.ts';
import { checkOn, onlyForeign, type ShaderCheck } from '../shader-check.ts';

export interface WasmOptions {
  /** maximum number of threads; default: as many as the machine runs in parallel */
  readonly threads?: number;
  /** default: the shipped shaders */
  readonly readShader?: ReadShader;
}

/** A worker runs compiled JavaScript, so it is the built file even when the caller runs from the sources. */
const workerEntry = 'dist/rollout/wasm/node/worker.js';
/** Assumed time of a step in an environment that was not played yet, s. */
const stepSeconds = 8e-9;

/** Dawn checks texts on any machine, with an adapter of its own that runs nothing. */
export const checkByDawn: ShaderCheck = checkOn(() => openDevice({ nothingRuns: true, explain: false }));

/**
 * Opens the wasm backend. Results do not depend on `threads`. Throws a usage error when `threads` is not a positive
 * whole number, or when the engine has no WebAssembly with SIMD.
 */
export function openWasmBackend(options: WasmOptions = {}): Backend {
  const threads = threadsOf('wasm', options.threads);
  const { readShader } = options;
  return readShader
    ? new ThreadedWasmBackend(readShader, checkByDawn, threads)
    : new ThreadedWasmBackend(readAsset, onlyForeign(checkByDawn), threads);
}

/**
 * What the shader of an environment has that is not read here, with its place; null: nothing. It is read as an episode reads
 * it: a program for single steps has no reset.
 * @throws CompileError when the shader is wrong
 */
export async function unsupportedIn(env: Env): Promise<string | null> {
  const kind = policyKinds.find((one) => one.accepts(env) === null);
  // Without a policy there are no episodes.
  if (kind === undefined) return null;
  try {
    await compiledModule(rolloutProgram(env, kind.build(env, {}), readAsset, 'nothing'), 'play', checkByDawn);
    return null;
  } catch (error) {
    if (error instanceof UnsupportedError) return error.detail;
    throw error;
  }
}

class ThreadedWasmBackend extends WasmBackend {
  readonly #threaded: ThreadedPlay;

  constructor(readShader: ReadShader, check: ShaderCheck, threads: number) {
    super(readShader, check);
    // Compiled once: workers get the module of the engine.
    const prepare = (job: RolloutJob): Promise<unknown> => this.programs.module(job.env, job.policy, 'nothing');
    this.#threaded = new ThreadedPlay({ threads, entry: workerEntry, stepSeconds, prepare });
  }

  override async play(job: RolloutJob, options: CountingOptions = {}): Promise<CountedEpisodes> {
    this.checkOpen();
    checkJob(job, maxEpisodes);
    checkCode(this.id, job.env, job.policy);
    return this.#threaded.play(job, options, (given, own) => super.play(given, own));
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#threaded.close();
  }
}
