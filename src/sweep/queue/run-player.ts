/** Plays a job's run in its folder, and publishes copies for workers with local disks. */
import { basename, join } from 'node:path';
import type { ResolvedConfig } from '../../config/resolve.ts';
import type { BackendChoice } from '../../rollout/backend.ts';
import { ensureRunFolder, runFolderName, withPrices } from '../../runs/folder/folder.ts';
import { runHash } from '../../runs/folder/identity.ts';
import { type Manifest, readManifest, usedBackend } from '../../runs/folder/manifest.ts';
import { isFinished, requireWholeJournal } from '../../runs/folder/missing.ts';
import type { RunSummary } from '../../runs/folder/summary.ts';
import { exposedByJob } from '../../runs/models/recorded-endpoints.ts';
import { RunPool } from '../../runs/run-pool.ts';
import type { RunProgress } from '../../runs/session/progress.ts';
import { drawMissingFigure, lacksFigure } from '../missing-figure.ts';
import { reasonOf } from './classify-failure.ts';
import { UnfitError } from './job.ts';
import type { RunStore } from './published-runs.ts';

export interface RunPlayerOptions {
  /** parent of the run folders; shared by all workers unless there is a store */
  readonly runsDir: string;
  /** null: `runsDir` is shared by all machines */
  readonly store: RunStore | null;
  /** refuses runs for other backends; null: accepts all runs that it can play */
  readonly backend: Exclude<BackendChoice, 'auto'> | null;
  /** WebGPU adapter by name or number; null: the one that Dawn offers */
  readonly adapter?: string | null;
  /** endpoints that may get keys and headers of this machine where a job names them, as `trustedEndpoint` gives them */
  readonly endpoints?: readonly string[];
  /** command line for the manifests; must not contain a password */
  readonly argv: readonly string[];
  /** parallel runs */
  readonly jobs: number;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  /** time between two copies of an active run, ms */
  readonly copyInterval: number;
}

export class RunPlayer {
  readonly #options: RunPlayerOptions;
  readonly #pool: RunPool;

  constructor(options: RunPlayerOptions) {
    this.#options = options;
    this.#pool = new RunPool(options);
  }

  folderOf(config: ResolvedConfig['config']): string {
    return join(this.#options.runsDir, runFolderName(config));
  }

  /** Plays a run to its end, resuming from its files. Null: finished before. */
  async play(
    { config, yaml, isRecorded }: Pick<ResolvedConfig, 'config' | 'yaml' | 'isRecorded'>,
    signal: AbortSignal,
    onProgress: (progress: RunProgress) => void,
  ): Promise<RunSummary | null> {
    const { store, runsDir, backend, argv, note, endpoints = [] } = this.#options;
    const folder = this.folderOf(config);
    const name = basename(folder);
    const id = runHash(config);
    const isDone = (manifest: Manifest | null): boolean =>
      manifest?.status === 'finished' && manifest.config_hash === id;
    const own = readManifest(folder);
    // Before the files of the store, which may hold less than these.
    if (own !== null && !isFinished({ folder, manifest: own })) requireWholeJournal(folder);
    const isUndrawn = lacksFigure(folder, own);
    if (isDone(own)) {
      if (isUndrawn) await drawMissingFigure(folder, note);
      await store?.publish(name, folder);
      return null;
    }
    if (store) {
      if (isDone(await store.manifest(name))) return null;
      await store.fetch(name, folder);
    }
    const exposed = exposedByJob({ config, isRecorded }, endpoints);
    if (exposed !== null) throw new UnfitError('worker', exposed);
    await this.#pool.check(this.#playable(config, folder));
    ensureRunFolder(runsDir, await withPrices({ config, yaml, argv, now: Date.now() }));
    const summary = await this.#copying(name, folder, () =>
      this.#pool.run({
        config,
        folder,
        ...(backend && { backend }),
        argv,
        resumeCommand: () => 'the command of the sweep',
        signal,
        onProgress,
        onNotice: (text) => note(`${folder}: ${text}`),
        log: (text) => note(`${folder}: ${text}`),
      }),
    );
    if (isUndrawn) await drawMissingFigure(folder, note);
    await store?.publish(name, folder);
    return summary;
  }

  /** Publishes an unfinished run, so that another worker continues it from there. */
  async publishPart(folder: string): Promise<void> {
    const { store, warn } = this.#options;
    if (store === null || readManifest(folder) === null) return;
    try {
      requireWholeJournal(folder);
      await store.publish(basename(folder), folder);
    } catch (error) {
      warn(`${folder} was not copied: ${reasonOf(error)}`);
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The configuration with the backend that plays it here. Throws `UnfitError` when this worker takes no such runs. */
  #playable(config: ResolvedConfig['config'], folder: string): ResolvedConfig['config'] {
    const { backend } = this.#options;
    const asked = usedBackend(readManifest(folder)) ?? config.evaluation.backend;
    if (backend !== null && asked !== 'auto' && asked !== backend) {
      throw new UnfitError('worker', `the run requires backend ${asked}, and this worker accepts only ${backend}`);
    }
    const played = asked === 'auto' ? (backend ?? asked) : asked;
    return { ...config, evaluation: { ...config.evaluation, backend: played } };
  }

  /** Publishes an active run from time to time, so that little is lost if this machine's disk fails. */
  async #copying<T>(name: string, folder: string, run: () => Promise<T>): Promise<T> {
    const { store, warn, copyInterval } = this.#options;
    if (store === null) return await run();
    let copying: Promise<void> | null = null;
    const copy = async (): Promise<void> => {
      try {
        await store.publish(name, folder);
      } catch (error) {
        warn(`${folder} was not copied yet: ${reasonOf(error)}`);
      }
      copying = null;
    };
    const timer = setInterval(() => {
      copying ??= copy();
    }, copyInterval);
    try {
      return await run();
    } finally {
      clearInterval(timer);
      await copying;
    }
  }
}
