/** What can play episodes for this page: the browser's WebGPU, WebAssembly, float64, and the machine of the server. */
import type { RunIndex } from '../../api/index-of-runs.ts';
import type { EvaluateAnswer, EvaluateBody } from '../../api/requests.ts';
import { isExport, post } from '../data.ts';
import type { Executor, ExecutorId, OpenExecutor } from './executor.ts';
import type { Host, HostBackend } from './host.ts';
import { type Engine, PlayUsageError, WorkerHost } from './load.ts';

/** Why an executor cannot be used, as far as that is known without opening it; null: nothing speaks against it. */
export function objection(id: ExecutorId, index: RunIndex | null): string | null {
  if (id === 'webgpu' && !('gpu' in navigator && navigator.gpu)) {
    return globalThis.isSecureContext
      ? 'this browser has no WebGPU'
      : 'a browser gives WebGPU only to https and to pages of this machine';
  }
  if (id === 'wasm' && typeof WebAssembly === 'undefined') return 'this browser has no WebAssembly';
  if (id === 'machine') {
    if (isExport) return 'a static export has no server';
    if (index !== null && !index.can.evaluate) return index.machine?.why || 'this server does not evaluate';
  }
  return null;
}

/** A busy browser reports a loss long after the call that it made fail, s. */
const lossSeconds = 2;

/** Why a call failed, in the words of the device when it was lost. */
async function reasonOf(
  engine: Engine,
  gpu: Awaited<ReturnType<Engine['openGpuDevice']>>,
  error: unknown,
): Promise<unknown> {
  await Promise.race([gpu.device.lost, new Promise((resolve) => setTimeout(resolve, 1000 * lossSeconds))]);
  let reason = error;
  try {
    gpu.check();
  } catch (loss) {
    reason = loss;
  }
  return reason instanceof engine.R2poError ? new Error(reason.detail.split(';')[0]!.replace(/\.$/, '')) : reason;
}

async function openWebGpu(engine: Engine): Promise<Executor> {
  const problem = objection('webgpu', null);
  if (problem !== null) throw new Error(problem);
  const request = async (): Promise<GPUAdapter> => {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw new Error('this browser has WebGPU, but no adapter for it');
    return adapter;
  };
  const gpu = await engine.openGpuDevice(request, 'largest');
  const backend = await engine.openWebGpuBackend({ gpu });
  const subject = engine.subjectCache();
  return {
    id: 'webgpu',
    where: `${gpu.adapter.name}${gpu.adapter.software ? ' (a processor emulates the GPU)' : ''}`,
    async play(job, signal) {
      try {
        // A device that was lost between two calls: the backend would open another without a word.
        gpu.check();
        const { seed, episodes, params } = job;
        const { returns, lengths, ends, steps, seconds, compileSeconds } = await backend.play(
          engine.jobOf(subject(job), params, seed, episodes),
          { signal },
        );
        return { returns, lengths, ends, steps, seconds: seconds - (compileSeconds ?? 0) };
      } catch (error) {
        if (error instanceof engine.UsageError) throw new PlayUsageError(error.detail);
        if (signal.aborted) throw error;
        throw await reasonOf(engine, gpu, error);
      }
    },
    close: () => void backend.close(),
  };
}

/** A worker, or what takes its place in a browser that starts none. */
async function openHost(engine: Engine): Promise<{ host: Host; where: string; close: () => void }> {
  try {
    const host = new WorkerHost();
    await host.open('cpu');
    return { host, where: 'a worker of this page', close: () => host.close() };
  } catch {
    return { host: engine.createHost(), where: 'this page, as it cannot start a worker', close: () => {} };
  }
}

function machineExecutor(index: RunIndex | null): Executor {
  const problem = objection('machine', index);
  if (problem !== null) throw new Error(problem);
  const machine = index?.machine;
  return {
    id: 'machine',
    where: machine ? `${machine.backend}${machine.adapter === null ? '' : `, ${machine.adapter}`}` : 'its backend',
    async play({ playable, params, constants, seed, episodes }, signal) {
      const body: EvaluateBody = { playable, params: [...params], constants: { ...constants }, seed, episodes };
      const answer = await post<EvaluateAnswer>('/api/evaluate', body, signal);
      const returns = Float64Array.from(answer.returns, (value) => value ?? Number.NaN);
      if (returns.some(Number.isNaN)) throw new PlayUsageError('a return is infinite or NaN; try smaller parameters');
      const lengths = Uint32Array.from(answer.lengths);
      const steps = answer.lengths.reduce((sum, length) => sum + length, 0);
      return { returns, lengths, ends: null, steps, seconds: answer.seconds };
    },
    close() {},
  };
}

/** Opens executors when they are asked for, each once until it is closed. */
export class ExecutorPool {
  readonly #engine: Engine;
  readonly #index: () => RunIndex | null;
  #host: ReturnType<typeof openHost> | null = null;

  constructor(engine: Engine, index: () => RunIndex | null) {
    this.#engine = engine;
    this.#index = index;
  }

  /** Rejects with why it cannot be used. */
  readonly open: OpenExecutor = async (id) => {
    if (id === 'webgpu') return openWebGpu(this.#engine);
    if (id === 'machine') return machineExecutor(this.#index());
    this.#host ??= openHost(this.#engine);
    const { host, where } = await this.#host;
    const backend: HostBackend = id;
    await host.open(backend);
    return { id, where, play: (job, signal) => host.play(backend, job, signal), close() {} };
  };

  close(): void {
    void this.#host?.then(({ close }) => close());
    this.#host = null;
  }
}
