/** What the runs of one process share: backends, the model's threads, and what a configuration names. */
import { availableParallelism } from 'node:os';
import { openOnce } from '../base/async.ts';
import { UsageError } from '../base/errors.ts';
import { asksModels, type Config, type LlmConfig } from '../config/schema.ts';
import type { ChatModel } from '../llm/chat.ts';
import type { Controls } from '../llm/controls.ts';
import { type OfflineThreads, openOfflineThreads } from '../llm/offline/threads.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { BackendPool } from '../rollout/node/backend-pool.ts';
import { workOf } from './expected-work.ts';
import { readRunConfig, requireRun } from './folder/folder.ts';
import { usedBackend, usedModels } from './folder/manifest.ts';
import type { RunSummary } from './folder/summary.ts';
import { withPricesOf as recordedPrices, withListPrices } from './models/cost.ts';
import type { ModelNames, OpenOne, RunModels } from './models/models.ts';
import { openModel } from './models/open-model.ts';
import { type RunUnits, UnitCache } from './resolve-units.ts';
import { executeRun, type RunOptions, restoreSummary } from './run.ts';

export interface PoolOptions {
  /** a line for the user, such as which backend was taken */
  readonly note: (text: string) => void;
  /** runs at a time */
  readonly jobs: number;
  /** WebGPU adapter by name or number; null: the one that Dawn offers */
  readonly adapter?: string | null;
}

/** Its folder is made by `ensureRunFolder`; a run that was started there is resumed. */
export interface PooledRun extends Omit<RunOptions, 'resume' | 'now'> {
  readonly config: Config;
  /** what plays the episodes if the run was not started before and its configuration says `auto` */
  readonly backend?: BackendChoice;
}

/** The prices of the start of a run hold for all of it, unless the configuration names others. */
async function withPricesOf(folder: string, config: Config): Promise<Config> {
  return asksModels(config) ? recordedPrices(await readRunConfig(folder), config) : config;
}

export class RunPool {
  readonly #note: PoolOptions['note'];
  readonly #jobs: number;
  readonly #units = new UnitCache();
  readonly #backends: BackendPool;
  readonly #models = new Map<string, Promise<ChatModel>>();
  #offline: OfflineThreads | null = null;

  constructor({ note, jobs, adapter = null }: PoolOptions) {
    this.#note = note;
    this.#backends = new BackendPool({ adapter, note });
    this.#jobs = jobs;
  }

  /** Opens what a new run of this configuration needs, so that anything missing is reported before it starts. */
  async check(config: Config): Promise<void> {
    const units = this.#units.resolve(await withListPrices(config));
    const { backend } = await this.#backends.choose(config.evaluation.backend, workOf(units));
    const unsupported = backend.supports(units.env, units.policy);
    if (unsupported !== null) throw new UsageError('evaluation.backend', unsupported);
    await this.#modelsOf(units, null);
  }

  /**
   * Runs to the end, from the state of its folder, and returns the summary. Throws what `executeRun` does.
   */
  async run({ config, folder, backend: fallback, ...options }: PooledRun): Promise<RunSummary> {
    const manifest = requireRun(folder);
    const units = this.#units.resolve(await withPricesOf(folder, config));
    const asked = config.evaluation.backend;
    const choice = usedBackend(manifest) ?? (asked === 'auto' ? (fallback ?? asked) : asked);
    const open = () => this.#backends.choose(choice, workOf(units));
    if (manifest.status === 'finished') {
      return restoreSummary(folder, units, async (use) => use((await open()).backend), options.onNotice);
    }
    const { backend, why: backendWhy } = await open();
    const models = await this.#modelsOf(units, usedModels(manifest));
    return await executeRun({ ...units, backend, models }, { ...options, backendWhy, folder, resume: true });
  }

  /** How many iterations a run of this configuration takes. */
  iterationsOf(config: Config): number {
    const units = this.#units.resolve(config);
    return units.driver.iterations(units);
  }

  /** Of the backends: how many evaluations were asked for, and how many calls they took. */
  sharing(): Promise<{ readonly requests: number; readonly calls: number }> {
    return this.#backends.counts();
  }

  async close(): Promise<void> {
    await this.#backends.close();
    await this.#offline?.close();
  }

  #modelsOf(units: RunUnits, used: ModelNames | null): Promise<RunModels | null> {
    const open: OpenOne = (name, { controls }, llm) => this.#model(name, llm, controls);
    return units.driver.openModels(units, open, used);
  }

  /** Endpoints are opened once, so that all runs of `auto` get the same one; recorded replies are read by one run only. */
  async #model(name: string, llm: LlmConfig['llm'], controls: Controls): Promise<ChatModel> {
    // What differs between purposes is in the controls, or said with each call.
    const { search: _search, critic: _critic, ...common } = llm;
    const key = JSON.stringify([name, common, controls]);
    const model = await openOnce(this.#models, key, () =>
      openModel(name, { llm }, this.#note, { controls, concurrentRuns: this.#jobs }),
    );
    if (model.kind === 'replay') this.#models.delete(key);
    if (model.kind !== 'offline') return model;
    this.#offline ??= openOfflineThreads(availableParallelism());
    return this.#offline.model;
  }
}
