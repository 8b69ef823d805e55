/** Trainings of a sweep: what its arguments describe, and their runs, a few at a time on one backend. */
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { sleep } from '../base/async.ts';
import { R2poError, UsageError } from '../base/errors.ts';
import { machineFault } from '../base/machine-fault.ts';
import { counted } from '../base/plain-number.ts';
import { workOfTraining } from '../baselines/expected-work.ts';
import { createBaselineFolder, type KnownBaseline, knownBaseline } from '../baselines/run-folder.ts';
import { type BaselineConfig, baselineHash, isBaselineName, resolveBaseline, sources } from '../baselines/settings.ts';
import { executeBaseline } from '../baselines/training-run.ts';
import { type Axis, combinations } from '../config/axes.ts';
import { shippedConfigs } from '../config/shipped.ts';
import { envs } from '../envs/index.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { BackendPool } from '../rollout/node/backend-pool.ts';
import { usedBackend } from '../runs/folder/manifest.ts';
import { isFinished } from '../runs/folder/missing.ts';
import { heartbeatMs } from '../runs/journal/heartbeat.ts';
import { BusyError, canAwait } from '../runs/journal/lock.ts';
import { isOrderlyStop } from '../runs/journal/totals.ts';
import type { ResumeCommand } from '../runs/session/budget.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import type { Shard } from './expand.ts';
import { isFailure, type RunResult, type SweepState } from './local.ts';

export interface SweepTraining {
  /** hash of the settings */
  readonly id: string;
  readonly config: BaselineConfig;
}

/** Whether a name of a sweep is that of a training, and not of a search or a file. */
export function isTraining(name: string): boolean {
  const [env, method] = name.split('/');
  const folder = envs.find(({ id, folder: own }) => id === env || own === env)?.folder;
  return isBaselineName(name, () => shippedConfigs().includes(`${folder}/${method}`));
}

/** Keys that searches do not have, or have with other values. */
const own = ['episodes', 'steps', 'budget', 'defects', 'hyperparameters'];
/** Keys that both have. */
const common = ['seed', 'evaluation.episodes', 'evaluation.backend', 'recheck.episodes'];

/** Whether an axis is for trainings, searches, or both. */
export function audience({ key, choices }: Axis): 'trainings' | 'searches' | 'both' {
  if (common.includes(key)) return 'both';
  const values = choices.map((text) => text.slice(text.indexOf('=') + 1));
  const isSource = key === 'settings' && values.every((value) => sources.some((source) => source === value));
  const isOwn =
    isSource || key === 'evaluation.every' || own.some((name) => key === name || key.startsWith(`${name}.`));
  return isOwn && !/^budget\./.test(key) ? 'trainings' : 'searches';
}

/** The distinct trainings in order. Throws a usage error for the first invalid one. */
export async function expandTrainings(
  names: readonly string[],
  axes: readonly Axis[],
  backend: BackendChoice | undefined,
  shard: Shard | null,
): Promise<SweepTraining[]> {
  const found = new Map<string, SweepTraining>();
  const flags = backend === undefined ? [] : [`evaluation.backend=${backend}`];
  for (const name of names) {
    for (const overrides of combinations(axes)) {
      const config = await resolveBaseline(name, [...overrides, ...flags]);
      const id = baselineHash(config);
      const before = found.get(id)?.config.evaluation.backend ?? config.evaluation.backend;
      if (before !== config.evaluation.backend) {
        throw new UsageError(
          'evaluation.backend',
          `expected one backend for trainings, which are the same runs on each, got ${before} and ` +
            `${config.evaluation.backend}; sweep over backends with searches alone`,
        );
      }
      found.set(id, { id, config });
    }
  }
  return [...found.values()].filter((_, i) => shard === null || i % shard.of === shard.index - 1);
}

export interface TrainingsOptions {
  readonly trainings: readonly SweepTraining[];
  readonly python: string;
  readonly runsDir: string;
  /** maximum parallel runs; each takes a processor */
  readonly jobs: number;
  readonly adapter: string | null;
  readonly failFast: boolean;
  /** starts none: a search has failed before, with `failFast` */
  readonly isHalted: boolean;
  readonly argv: readonly string[];
  readonly command: ResumeCommand;
  readonly signal?: AbortSignal;
  readonly note: (text: string) => void;
  readonly onState?: (state: SweepState) => void;
}

const waiting = { folder: null, outcome: 'waiting', already: false, summary: null, error: null } as const;

/** The result of a training that needs no more work; null: it does. */
function finishedBefore(run: SweepTraining, known: KnownBaseline | null): RunResult<SweepTraining> | null {
  if (known === null || !isFinished(known)) return null;
  return { ...waiting, run, folder: known.folder, outcome: 'finished', already: true };
}

/** How far a training is in a folder of runs. */
export function stateOf({ config }: SweepTraining, runsDir: string): 'finished' | 'started' | 'new' {
  const known = knownBaseline(runsDir, config);
  if (known === null) return 'new';
  return isFinished(known) ? 'finished' : 'started';
}

/** Runs all unfinished trainings; a failed one does not stop the others. Waits for those that another process runs. */
export async function runTrainings(options: TrainingsOptions): Promise<RunResult<SweepTraining>[]> {
  const { trainings, runsDir, jobs, adapter, note, signal, failFast } = options;
  const results = new Map<string, RunResult<SweepTraining>>();
  const open = trainings.filter((run) => {
    const result = finishedBefore(run, knownBaseline(runsDir, run.config));
    if (result) results.set(run.id, result);
    return result === null;
  });
  const all = () => trainings.map((run) => results.get(run.id) ?? { ...waiting, run });
  if (open.length === 0) return all();
  const backends = new BackendPool({ adapter, note });
  const running = new Map<string, SweepState['running'][number]>();
  const report = (ended: SweepState['ended']): void => {
    const ends = [...results.values()];
    const finished = ends.filter(({ outcome }) => outcome === 'finished').length;
    options.onState?.({
      ...{ runs: trainings.length, finished, already: ends.filter(({ already }) => already).length },
      ...{ unfinished: ends.length - finished, running: [...running.values()], etaSeconds: null, ended },
    });
  };
  const limit = pLimit(Math.min(jobs, availableParallelism()));
  const isHalted = () =>
    signal?.aborted === true || options.isHalted || (failFast && [...results.values()].some(isFailure));
  const work = async (run: SweepTraining): Promise<void> => {
    if (isHalted()) return;
    const onProgress = (folder: string, progress: RunProgress | null): void => {
      running.set(run.id, { run, folder, progress });
      report(null);
    };
    const result = await attempt(run, { ...options, backends, onProgress });
    running.delete(run.id);
    // Said once.
    if (result.outcome === 'busy' && results.get(run.id)?.outcome === 'busy') return;
    results.set(run.id, result);
    report(result);
  };
  const workAll = (runs: readonly SweepTraining[]) => Promise.all(runs.map((run) => limit(() => work(run))));
  const others = () => open.filter(({ id }) => isAwaited(results.get(id)));
  try {
    await workAll(open);
    const count = others().length;
    if (count > 0) note(`waiting for ${counted(count, 'training')} of another process`);
    for (let left = others(); left.length > 0 && !isHalted(); left = others()) {
      await sleep(heartbeatMs() / 1000, signal).catch(() => {});
      await workAll(left);
    }
  } finally {
    await backends.close();
  }
  return all();
}

const isAwaited = (result: RunResult<SweepTraining> | undefined): boolean =>
  result?.outcome === 'busy' && result.folder !== null && canAwait(result.folder);

interface Attempt extends TrainingsOptions {
  readonly backends: BackendPool;
  readonly onProgress: (folder: string, progress: RunProgress | null) => void;
}

async function attempt(run: SweepTraining, options: Attempt): Promise<RunResult<SweepTraining>> {
  const { runsDir, argv, python, backends, signal, note } = options;
  let folder: string | null = null;
  try {
    const place = { runsDir, name: null, isShared: true };
    const known = knownBaseline(runsDir, run.config);
    const finished = finishedBefore(run, known);
    if (finished) return finished;
    const choice = usedBackend(known?.manifest ?? null) ?? run.config.evaluation.backend;
    const { backend, why: backendWhy } = await backends.choose(choice, workOfTraining(run.config));
    const made = known?.folder ?? createBaselineFolder(place, run.config, argv, Date.now());
    folder = made;
    options.onProgress(made, null);
    const summary = await executeBaseline({
      ...{ folder: made, python, backend, backendWhy, argv, signal, resumeCommand: options.command(null) },
      onNotice: (text) => note(`${made}: ${text}`),
      onProgress: (progress) => options.onProgress(made, progress),
    });
    return { run, folder, outcome: 'finished', already: false, summary, error: null };
  } catch (thrown) {
    const error = thrown instanceof R2poError ? thrown : machineFault(thrown);
    if (error === null) throw thrown;
    const outcome = error instanceof BusyError ? 'busy' : isOrderlyStop(error.exitCode) ? 'stopped' : 'failed';
    return { run, folder, outcome, already: false, summary: null, error };
  }
}
