/** Finds the runs that an analysis is asked for, and reads their records. */
import { R2poError, UsageError } from '../../base/errors.ts';
import { findRunFolders, type LeftOut } from '../../runs/folder/find-runs.ts';
import { readRunConfig, refuseTraining, requireRun } from '../../runs/folder/folder.ts';
import { runIdentity } from '../../runs/folder/manifest.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import { readEvents } from '../../runs/journal/journal.ts';
import { RunTotals } from '../../runs/journal/totals.ts';
import { resolveUnits } from '../../runs/resolve-units.ts';
import { originOf } from '../answered-by.ts';
import type { AnalysedRun, Analysis } from './analysis.ts';
import { decidedIterations } from './record.ts';

export interface FoundRuns {
  readonly runs: readonly AnalysedRun[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * The runs in these run folders, or folders that hold some, that `analysis` can use; what is none, is damaged, is there
 * twice or does not fit is left out with its reason. Throws a usage error for a path that does not exist, and when no
 * run is left.
 */
export async function readRuns(
  paths: readonly string[],
  analysis: Pick<Analysis, 'id' | 'refuses'>,
): Promise<FoundRuns> {
  const { folders, leftOut: others } = findRunFolders(paths, 'analyze');
  const kept = new Map<string, AnalysedRun>();
  const leftOut = [...others];
  const leave = (path: string, reason: string) => leftOut.push({ path, reason });
  /** The same seeds and, with a model that repeats itself, the same run, which would count twice: the longer one stays. */
  const keep = (hash: string, run: AnalysedRun) => {
    const twin = kept.get(hash);
    const [longer, shorter] = twin && twin.iterations.length >= run.iterations.length ? [twin, run] : [run, twin];
    kept.set(hash, longer);
    if (shorter) leave(shorter.folder, `has the configuration and the seed of "${longer.folder}"`);
  };
  for (const folder of folders) {
    try {
      const manifest = requireRun(folder);
      refuseTraining(folder, manifest, 'analyze');
      const run = await readRun(folder);
      const reason = analysis.refuses(run.method);
      if (reason !== null) leave(folder, reason);
      else if (run.iterations.length === 0) leave(folder, 'no iteration of it was completed');
      else keep(runIdentity(manifest), run);
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      leave(folder, error.detail);
    }
  }
  const runs = [...kept.values()];
  if (runs.length === 0) {
    const reasons = leftOut.map(({ path, reason }) => `"${path}": ${reason}`).join('; ');
    throw new UsageError('analyze', `expected runs that "${analysis.id}" can use, got none: ${reasons}`);
  }
  return { runs, leftOut };
}

/** Reads one run as far as it got. Throws a usage error when it is damaged, or names what does not exist here. */
async function readRun(folder: string): Promise<AnalysedRun> {
  const { config, env, method, policy } = resolveUnits(await readRunConfig(folder));
  const { events } = readEvents(folder);
  const totals = new RunTotals();
  for (const event of events) totals.add(event);
  return {
    folder,
    env,
    method,
    policy,
    parameters: config.parameters,
    seed: config.seed,
    model: totals.model ?? config.model,
    origin: originOf(events),
    status: totals.status,
    threshold: toldThreshold(events, config.critic.conservative_threshold),
    iterations: decidedIterations(events, method.candidates),
    rechecked: totals.rechecked?.summary.mean ?? null,
  };
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
