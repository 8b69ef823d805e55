/** Finds runs for an analysis, and reads their records. */
import { UsageError } from '../../base/errors.ts';
import { variantOf } from '../../config/variants.ts';
import { settingsOf } from '../../runs/folder/identity.ts';
import { changedSource } from '../../runs/folder/module-source.ts';
import type { FoundRuns, StoredRun } from '../../runs/folder/read-run.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import { totalsOf } from '../../runs/journal/totals.ts';
import { type LlmUnits, resolveUnits } from '../../runs/resolve-units.ts';
import { originOf } from '../answered-by.ts';
import type { AnalysedRun, Analysis } from './analysis.ts';
import { decidedIterations } from './record.ts';
import { type Sharing, usableRuns } from './usable-runs.ts';

/**
 * The runs in these folders that `analysis` can use; the others are left out with a reason. Throws a usage error for a path
 * that does not exist, and if no run is left. Iterations that several of them share are those of the first.
 */
export async function findAnalysedRuns(
  paths: readonly string[],
  analysis: Pick<Analysis, 'id' | 'refuses'>,
): Promise<FoundRuns<Sharing<AnalysedRun>>> {
  const { runs, leftOut } = await usableRuns(analysis.id, paths, async (stored) => {
    const units = resolveUnits(await stored.config());
    if (units.kind !== 'llm-search') {
      return `${units.method.id} asks no model, and has no proposals and revisions to compare`;
    }
    const { events } = stored.events();
    const run = await analysedRun(stored, units, events);
    return analysis.refuses(run.method) ?? { run, events };
  });
  const own = (run: Sharing<AnalysedRun>) => ({ ...run, iterations: run.iterations.slice(run.shared?.count ?? 0) });
  return { runs: runs.map(own), leftOut };
}

/** The completed iterations of a run. Throws a usage error for a damaged run or an unknown environment or method. */
async function analysedRun(stored: StoredRun, units: LlmUnits, events: readonly RunEvent[]): Promise<AnalysedRun> {
  const { config, env, method, policy } = units;
  const settings = settingsOf(stored.writtenConfig(), stored.manifest);
  const totals = totalsOf(events);
  return {
    folder: stored.folder,
    env,
    changed: changedSource(stored.manifest, env, method),
    method,
    variant: await variantOf(env.id, method.id, settings),
    settings,
    policy,
    parameters: config.parameters,
    seed: config.seed,
    model: totals.model ?? config.model,
    origin: originOf(events),
    status: totals.status,
    // Without a critic nothing reads the configured threshold.
    threshold: method.prompts.critic
      ? promptThreshold(criticPrompts(stored), config.critic.conservative_threshold)
      : null,
    iterations: decidedIterations(events, method.candidates),
    rechecked: totals.rechecked?.summary.mean ?? null,
  };
}

/** Our prompts and, in imported logs, those of the reference. */
const thresholdLines = [/^- conservative threshold: (-?\d+(?:\.\d+)?)/m, /\bachieved_reward >= (-?\d+(?:\.\d+)?)/];

/**
 * tau_c as it occurs in the prompts, since not every critic uses the configured threshold. If the prompts are not recorded,
 * the configured threshold.
 */
export function promptThreshold(prompts: Iterable<string>, configured: number | null): number | null {
  let threshold = configured;
  for (const prompt of prompts) {
    if (prompt === '') continue;
    threshold = null;
    const found = thresholdLines.map((line) => line.exec(prompt)).find((match) => match !== null);
    if (found) return Number(found[1]);
  }
  return threshold;
}

function* criticPrompts(run: StoredRun): Generator<string> {
  for (const { event, messages } of run.wholeEvents()) {
    if (event.type !== 'llm_call' || event.purpose !== 'critic') continue;
    for (const { content } of messages ?? []) yield content;
  }
}

/**
 * Throws a usage error for runs of the offline optimiser together with runs of language models: pooled, their numbers
 * describe neither.
 */
export function requireOneOrigin(runs: readonly AnalysedRun[]): void {
  const offlineRuns = runs.filter(({ origin }) => origin === 'offline');
  const others = runs.filter(({ origin }) => origin !== 'offline');
  if (offlineRuns.length === 0 || others.length === 0) return;
  throw new UsageError(
    'analyze',
    `expected runs of language models or of the offline optimiser, got both: ${offlineRuns.length} with the optimiser ` +
      `(such as "${offlineRuns[0]!.folder}") and ${others.length} with a language model (such as ` +
      `"${others[0]!.folder}"); analyse them separately, or pool them with --allow-mixed`,
  );
}
