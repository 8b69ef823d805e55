/** What the runs of one process share: backends, the model's threads, and what a configuration names. */
import { availableParallelism } from 'node:os';
import { UsageError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { ChatModel } from '../llm/chat.ts';
import { type OfflineThreads, openOfflineThreads } from '../llm/offline/threads.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { openBackend } from '../rollout/open.ts';
import { type SharedBackend, shareBackend } from '../rollout/shared.ts';
import { requireRun } from './folder.ts';
import { usedBackend, usedModel } from './manifest.ts';
import { openModel } from './model.ts';
import { Planner } from './plan.ts';
import { type Progress, restoreSummary, runExperiment } from './run.ts';
import type { RunSummary } from './summary.ts';

export interface HostOptions {
  /** a line for the user, such as which backend was taken */
  readonly note: (text: string) => void;
}

export interface HostedRun {
  readonly config: Config;
  /** made by `ensureRunFolder`; what is in it already is gone on from */
  readonly folder: string;
  /** what plays the episodes where neither the run has begun nor its configuration decides */
  readonly backend?: BackendChoice;
  readonly argv: readonly string[];
  /** what the user types to go on */
  readonly resumeCommand: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly onNotice?: (text: string) => void;
}

/** Opens what is not open yet; what could not be opened is tried again by whoever asks next. */
function once<K, T>(opened: Map<K, Promise<T>>, key: K, open: () => Promise<T>): Promise<T> {
  const known = opened.get(key);
  if (known) return known;
  const opening = open();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}

export class RunHost {
  readonly #note: HostOptions['note'];
  readonly #planner = new Planner();
  readonly #backends = new Map<BackendChoice, Promise<SharedBackend>>();
  readonly #models = new Map<string, Promise<ChatModel>>();
  #offline: OfflineThreads | null = null;

  constructor({ note }: HostOptions) {
    this.#note = note;
  }

  /** Opens what a new run of this configuration needs, so that what is missing is told before anything is begun. */
  async check(config: Config): Promise<void> {
    const { env, policy } = this.#planner.plan(config);
    const unsupported = (await this.#backend(config.evaluation.backend)).supports(env, policy);
    if (unsupported !== null) throw new UsageError('evaluation.backend', unsupported);
    await this.#model(config.model, config);
  }

  /**
   * Runs a search to its end, from wherever its folder stands, and returns its summary. Throws what `runExperiment` does.
   */
  async run({ config, folder, backend: fallback, ...options }: HostedRun): Promise<RunSummary> {
    const plan = this.#planner.plan(config);
    const manifest = requireRun(folder);
    if (manifest.status === 'finished') return restoreSummary(folder, config, plan.policy);
    const asked = config.evaluation.backend;
    const backend = await this.#backend(usedBackend(manifest) ?? (asked === 'auto' ? (fallback ?? asked) : asked));
    const model = await this.#model(usedModel(manifest) ?? config.model, config);
    return await runExperiment({ ...plan, ...options, folder, resume: true, backend, model });
  }

  /** Of the backends: how many evaluations were asked for, and how many calls they took. */
  async sharing(): Promise<{ readonly requests: number; readonly calls: number }> {
    const all = await Promise.all(this.#backends.values());
    return {
      requests: all.reduce((sum, { counts }) => sum + counts.requests, 0),
      calls: all.reduce((sum, { counts }) => sum + counts.calls, 0),
    };
  }

  async close(): Promise<void> {
    const backends = await Promise.allSettled(this.#backends.values());
    for (const opened of backends) if (opened.status === 'fulfilled') await opened.value.close();
    await this.#offline?.close();
  }

  #backend(choice: BackendChoice): Promise<SharedBackend> {
    return once(this.#backends, choice, () => openBackend(choice, this.#note).then(shareBackend));
  }

  /** Endpoints are opened once, so that all runs of `auto` get the same one; a record is read by one run only. */
  async #model(name: string, config: Config): Promise<ChatModel> {
    const key = JSON.stringify([name, config.llm]);
    const model = await once(this.#models, key, () => openModel(name, config, this.#note));
    if (model.kind === 'replay') this.#models.delete(key);
    if (model.kind !== 'offline') return model;
    this.#offline ??= openOfflineThreads(availableParallelism());
    return this.#offline.model;
  }
}
