/** Plays episodes for the page, in a worker or, where a browser starts none, beside it. Runs beside the engine. */
import { errorDetail, UsageError } from '../../../base/errors.ts';
import type { Backend } from '../../../rollout/backend.ts';
import { SingleThreadBackend } from '../../../rollout/cpu/single-thread.ts';
import { openWasmBackend } from '../../../rollout/wasm/page.ts';
import { type Constants, jobOf, type Playable, type Subject, subjectOf } from './subject.ts';

export type HostBackend = 'cpu' | 'wasm';

export interface PlayJob {
  readonly playable: Playable;
  readonly params: readonly number[];
  readonly constants: Constants;
  readonly seed: number;
  readonly episodes: number;
}

/** Outcomes of the episode seeds `seed ... seed + episodes - 1`. */
export interface Batch {
  readonly returns: Float64Array;
  /** steps */
  readonly lengths: Uint32Array;
  /** indices into `endCauses`; null: they are not known */
  readonly ends: Uint8Array | null;
  readonly steps: number;
  /** wall time of playing, without compiling, s */
  readonly seconds: number;
}

export interface Host {
  /** Throws a usage error when the backend does not run here. */
  open(backend: HostBackend): Promise<void>;
  play(backend: HostBackend, job: PlayJob, signal: AbortSignal): Promise<Batch>;
}

/** Builds a subject once for all the batches of a job. */
export function subjectCache(): (job: PlayJob) => Subject {
  let kept: { readonly key: string; readonly subject: Subject } | null = null;
  return ({ playable, constants }) => {
    const key = JSON.stringify([playable, constants]);
    if (kept?.key !== key) kept = { key, subject: subjectOf(playable, constants) };
    return kept.subject;
  };
}

export function createHost(): Host {
  const opened = new Map<HostBackend, Backend>();
  const backendOf = (id: HostBackend): Backend => {
    const backend = opened.get(id) ?? (id === 'wasm' ? openWasmBackend() : new SingleThreadBackend());
    opened.set(id, backend);
    return backend;
  };
  const subject = subjectCache();
  return {
    async open(id) {
      backendOf(id);
    },
    async play(id, job, signal) {
      const { params, seed, episodes } = job;
      const { returns, lengths, ends, steps, seconds, compileSeconds } = await backendOf(id).play(
        jobOf(subject(job), params, seed, episodes),
        { signal },
      );
      return { returns, lengths, ends, steps, seconds: seconds - (compileSeconds ?? 0) };
    },
  };
}

/** What the page sends. */
export type HostRequest =
  | { readonly id: number; readonly call: 'open'; readonly backend: HostBackend }
  | { readonly id: number; readonly call: 'play'; readonly backend: HostBackend; readonly job: PlayJob }
  | { readonly id: number; readonly call: 'cancel' };

/** What the worker sends back; `usage`: the job is at fault. */
export type HostReply =
  | { readonly id: number; readonly batch: Batch | null }
  | { readonly id: number; readonly problem: string; readonly usage: boolean };

interface WorkerScope {
  onmessage: ((event: { readonly data: HostRequest }) => void) | null;
  postMessage(message: HostReply, transfer: readonly ArrayBufferLike[]): void;
}

/** Makes the worker that calls it a host. */
export function serveWorker(scope: WorkerScope): void {
  const host = createHost();
  const running = new Map<number, AbortController>();
  scope.onmessage = async ({ data }) => {
    if (data.call === 'cancel') {
      running.get(data.id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(data.id, controller);
    try {
      if (data.call === 'open') {
        await host.open(data.backend);
        scope.postMessage({ id: data.id, batch: null }, []);
      } else {
        const batch = await host.play(data.backend, data.job, controller.signal);
        const parts = [batch.returns.buffer, batch.lengths.buffer, ...(batch.ends ? [batch.ends.buffer] : [])];
        scope.postMessage({ id: data.id, batch }, parts);
      }
    } catch (error) {
      scope.postMessage({ id: data.id, problem: errorDetail(error), usage: error instanceof UsageError }, []);
    } finally {
      running.delete(data.id);
    }
  };
}
