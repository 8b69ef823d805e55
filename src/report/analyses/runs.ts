/** Finds the runs that an analysis is asked for, and reads their records. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { R2poError, UsageError } from '../../base/errors.ts';
import type { RunEvent } from '../../experiment/events.ts';
import { readRunConfig, refuseTraining } from '../../experiment/folder.ts';
import { readEvents } from '../../experiment/journal.ts';
import { readManifest } from '../../experiment/manifest.ts';
import { planRun } from '../../experiment/plan.ts';
import { Tally } from '../../experiment/tally.ts';
import { offline } from '../../llm/offline/index.ts';
import type { AnalysedRun, Analysis, Origin } from './analysis.ts';
import { decidedIterations } from './record.ts';

export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export interface FoundRuns {
  readonly runs: readonly AnalysedRun[];
  readonly leftOut: readonly LeftOut[];
}

/** Folders in folders are looked into so deep. */
const depth = 3;

/**
 * The runs in these run folders, or folders that hold some, that `analysis` can use; what is none, is damaged, is there
 * twice or does not fit is left out with its reason. Throws a usage error for a path that does not exist, and when no
 * run is left.
 */
export async function readRuns(
  paths: readonly string[],
  analysis: Pick<Analysis, 'id' | 'refuses'>,
): Promise<FoundRuns> {
  const kept = new Map<string, AnalysedRun>();
  const leftOut: LeftOut[] = [];
  const seen = new Set<string>();
  const leave = (path: string, reason: string) => leftOut.push({ path, reason });
  /** The same seeds and, with a model that repeats itself, the same run, which would count twice: the longer one stays. */
  const keep = (hash: string, run: AnalysedRun) => {
    const twin = kept.get(hash);
    const [longer, shorter] = twin && twin.iterations.length >= run.iterations.length ? [twin, run] : [run, twin];
    kept.set(hash, longer);
    if (shorter) leave(shorter.folder, `has the configuration and the seed of "${longer.folder}"`);
  };

  const look = async (path: string, levels: number): Promise<void> => {
    const real = realpathSync(path);
    if (seen.has(real)) return;
    seen.add(real);
    let inside: string[];
    try {
      const manifest = readManifest(path);
      if (manifest) {
        refuseTraining(path, manifest, 'analyze');
        const run = await readRun(path);
        const reason = analysis.refuses(run.method);
        if (reason !== null) return void leave(path, reason);
        if (run.iterations.length === 0) return void leave(path, 'no iteration of it was completed');
        keep(manifest.config_hash, run);
        return;
      }
      inside = levels === 0 ? [] : subfolders(path);
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      return void leave(path, error.detail);
    }
    if (inside.length === 0) return void leave(path, 'is no run folder and holds none');
    for (const folder of inside) await look(folder, levels - 1);
  };

  for (const path of paths) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) {
      throw new UsageError('analyze', `expected a run folder or one that holds runs, found no "${path}"`);
    }
    if (found.isDirectory()) await look(path, depth);
    else leave(path, 'is no folder');
  }
  const runs = [...kept.values()];
  if (runs.length === 0) {
    const reasons = leftOut.map(({ path, reason }) => `"${path}": ${reason}`).join('; ');
    throw new UsageError('analyze', `expected runs that "${analysis.id}" can use, got none: ${reasons}`);
  }
  return { runs, leftOut };
}

function subfolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => join(path, name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch (cause) {
    throw new UsageError('analyze', `cannot read "${path}": ${(cause as Error).message}`, cause);
  }
}

/** Reads one run as far as it got. Throws a usage error when it is damaged, or names what does not exist here. */
async function readRun(folder: string): Promise<AnalysedRun> {
  const { config, env, method, policy } = planRun(await readRunConfig(folder));
  const { events } = readEvents(folder);
  const tally = new Tally();
  for (const event of events) tally.add(event);
  return {
    folder,
    env,
    method,
    policy,
    parameters: config.parameters,
    seed: config.seed,
    model: tally.model ?? config.model,
    origin: originOf(events),
    status: tally.status,
    threshold: toldThreshold(events, config.critic.conservative_threshold),
    iterations: decidedIterations(events),
    rechecked: tally.rechecked?.summary.mean ?? null,
  };
}

/** Every reply carries the model that made it, a replayed one that of its first time. */
export function originOf(events: readonly RunEvent[]): Origin {
  const byOffline = events.some((event) =>
    event.type === 'llm_call'
      ? event.reply.model === offline.id
      : event.type === 'run_started' && event.model_kind === offline.kind,
  );
  return byOffline ? 'offline' : 'language-model';
}

/** Our prompts and, in imported logs, those of the reference. */
const thresholdLines = [/^- conservative threshold: (-?\d+(?:\.\d+)?)/m, /\bachieved_reward >= (-?\d+(?:\.\d+)?)/];

/**
 * tau_c is a sentence of the prompt, and not every critic is told it: a configured threshold alone has no effect. Where
 * the prompts are not on record, the configured one is taken.
 */
export function toldThreshold(events: readonly RunEvent[], configured: number | null): number | null {
  const prompts = events
    .flatMap((event) => (event.type === 'llm_call' && event.purpose === 'critic' ? event.request.messages : []))
    .map(({ content }) => content)
    .filter((content) => content !== '');
  if (prompts.length === 0) return configured;
  const told = prompts
    .flatMap((prompt) => thresholdLines.map((line) => line.exec(prompt)))
    .find((match) => match !== null);
  return told ? Number(told[1]) : null;
}

/**
 * The optimiser and a language model differ in kind: their numbers together say nothing about either. Throws a usage
 * error when both are among `runs`.
 */
export function requireOneOrigin(runs: readonly AnalysedRun[]): void {
  const offlineRuns = runs.filter(({ origin }) => origin === 'offline');
  const others = runs.filter(({ origin }) => origin !== 'offline');
  if (offlineRuns.length === 0 || others.length === 0) return;
  throw new UsageError(
    'analyze',
    `expected runs of language models or of the offline optimiser, got both: ${offlineRuns.length} with the optimiser ` +
      `(such as "${offlineRuns[0].folder}") and ${others.length} with a language model (such as ` +
      `"${others[0].folder}"); analyse them apart, or pool them with --allow-mixed`,
  );
}
