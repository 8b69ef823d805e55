/** The backends of the runs of one process: each is opened once, and its calls are merged. */
import { openOnce } from '../../base/async.ts';
import type { ExpectedWork } from '../auto.ts';
import type { BackendChoice } from '../backend.ts';
import { batchingBackend, type SharedBackend } from '../batching-backend.ts';
import { type ChosenBackend, chosenNote, hostChoice, openHardware, openNamed } from './open.ts';

export interface BackendPoolOptions {
  /** WebGPU adapter by name or number; null: the one that Dawn offers */
  readonly adapter: string | null;
  /** gets which backend a first run was given, and why */
  readonly note: (text: string) => void;
}

export class BackendPool {
  readonly #adapter: string | null;
  readonly #note: BackendPoolOptions['note'];
  readonly #opened = new Map<Exclude<BackendChoice, 'auto'>, Promise<SharedBackend>>();
  readonly #noted = new Set<string>();
  #hardware: Promise<{ readonly backend: SharedBackend | null; readonly why: string }> | null = null;

  constructor({ adapter, note }: BackendPoolOptions) {
    this.#adapter = adapter;
    this.#note = note;
  }

  /** The backend for this work. Runs of the same configuration get the same one alone and among others. */
  async choose(choice: BackendChoice, work: ExpectedWork | null): Promise<ChosenBackend<SharedBackend>> {
    if (choice !== 'auto') return { backend: await this.#open(choice), why: null };
    this.#hardware ??= openHardware(this.#adapter).then(({ backend, why }) => ({
      backend: backend && batchingBackend(backend),
      why,
    }));
    const { backend, why: found } = await this.#hardware;
    const { id, why } = backend ? { id: backend.id, why: found } : await hostChoice(found, work);
    if (!this.#noted.has(id)) this.#note(chosenNote(id, why));
    this.#noted.add(id);
    return { backend: backend ?? (await this.#open(id as 'wasm' | 'cpu')), why };
  }

  /** How many evaluations were asked for, and how many calls they took. */
  async counts(): Promise<SharedBackend['counts']> {
    const all = (await this.#all()).map(({ counts }) => counts);
    return {
      requests: all.reduce((sum, { requests }) => sum + requests, 0),
      calls: all.reduce((sum, { calls }) => sum + calls, 0),
    };
  }

  async close(): Promise<void> {
    for (const backend of await this.#all()) await backend.close();
  }

  /** Those that could be opened. */
  async #all(): Promise<SharedBackend[]> {
    const hardware = this.#hardware?.then(({ backend }) => backend) ?? null;
    const opened = await Promise.allSettled([hardware, ...this.#opened.values()]);
    return opened.flatMap((one) => (one.status === 'fulfilled' && one.value !== null ? [one.value] : []));
  }

  #open(choice: Exclude<BackendChoice, 'auto'>): Promise<SharedBackend> {
    const adapter = choice === 'webgpu' ? this.#adapter : null;
    const open = () => openNamed(choice, adapter, this.#note).then(batchingBackend);
    return openOnce(this.#opened, choice, open);
  }
}
