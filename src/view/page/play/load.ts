/** Loads the engine when a view asks for it, and starts workers with it. */
import { isExport } from '../data.ts';
import type { Batch, Host, HostBackend, HostReply, HostRequest, PlayJob } from './host.ts';

export type Engine = typeof import('./engine.ts');

interface EngineGlobals {
  r2po_engine?: Engine;
  /** the whole script, which a worker from disk is made of */
  r2po_engine_script?: () => Engine;
}
const globals = globalThis as EngineGlobals;

let loading: Promise<Engine> | null = null;

/** The engine; loaded once, and tried again after a failure. */
export function loadEngine(): Promise<Engine> {
  loading ??= new Promise<Engine>((resolve, reject) => {
    if (globals.r2po_engine) return resolve(globals.r2po_engine);
    const script = document.createElement('script');
    script.src = 'engine.js';
    script.onload = () =>
      globals.r2po_engine
        ? resolve(globals.r2po_engine)
        : reject(new Error('engine.js was loaded, but gave no engine; build the package again'));
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error('the engine (engine.js) could not be loaded; reload the page'));
    };
    document.head.append(script);
  });
  return loading;
}

/** A job or a setting is at fault, not what plays it. */
export class PlayUsageError extends Error {}

/** A page from disk may not load a file as a worker, but a blob. */
function startWorker(): Worker {
  if (!isExport) return new Worker('worker.js');
  const text = `var r2po_engine = (${globals.r2po_engine_script})(); r2po_engine.serveWorker(self);`;
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}

interface Waiting {
  resolve(batch: Batch | null): void;
  reject(error: Error): void;
}

/** A host in a worker. Rejects when the browser starts none. */
export class WorkerHost implements Host {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  constructor() {
    this.#worker = startWorker();
    this.#worker.onmessage = ({ data }: MessageEvent<HostReply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('batch' in data) waiting?.resolve(data.batch);
      else waiting?.reject(data.usage ? new PlayUsageError(data.problem) : new Error(data.problem));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const error = new Error(`the worker failed: ${event.message || 'it could not be started'}`);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
  }

  async open(backend: HostBackend): Promise<void> {
    await this.#ask((id) => ({ id, call: 'open', backend }));
  }

  async play(backend: HostBackend, job: PlayJob, signal: AbortSignal): Promise<Batch> {
    const batch = await this.#ask((id) => ({ id, call: 'play', backend, job }), signal);
    if (batch === null) throw new Error('the worker answered without outcomes');
    return batch;
  }

  close(): void {
    this.#worker.terminate();
    for (const waiting of this.#waiting.values()) waiting.reject(new Error('the worker was closed'));
    this.#waiting.clear();
  }

  #ask(request: (id: number) => HostRequest, signal?: AbortSignal): Promise<Batch | null> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const cancel = (): void => this.#worker.postMessage({ id, call: 'cancel' } satisfies HostRequest);
      const done = (): void => signal?.removeEventListener('abort', cancel);
      this.#waiting.set(id, {
        resolve: (batch) => {
          done();
          resolve(batch);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      signal?.addEventListener('abort', cancel, { once: true });
      this.#worker.postMessage(request(id));
    });
  }
}
