/**
 * Imports a training from the log of the Python reference's baselines (`baselines/sb3`, commit 215329b): a row per
 * evaluation, and `summary.json` beside it after the end of the training.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { significant } from '../../base/plain-number.ts';
import type { LoggedTotals } from '../../runs/journal/events.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import { quoted, readOverallLog, readText } from '../reference/files.ts';
import { type FoundTraining, summaryName } from './find.ts';
import {
  appendMean,
  type ImportTrainingOptions,
  subjectOf,
  type Training,
  type TrainingOutcome,
  unknownFacts,
} from './training.ts';

const reward = z.number().nullish();
/** The fields that are read; others are ignored. */
const summarySchema = z.object({
  /** `PPO/run_3` */
  label: z.string().optional(),
  logdir: z.string().optional(),
  use_periodic_eval: z.boolean().nullish(),
  eval_episodes: z.int().min(1).max(1e6).nullish(),
  n_envs: z.int().nullish(),
  hyperparam_source: z.string().nullish(),
  hyperparams: z.record(z.string(), z.json()).nullish(),
  mean_reward: reward,
  best_reward: reward,
  final_reward: reward,
});
type TrainingSummary = z.output<typeof summarySchema>;

/** Null when it is missing or damaged, which is logged. */
async function readSummary(folder: string, importLog: ImportLog): Promise<TrainingSummary | null> {
  const path = join(folder, summaryName);
  if (!existsSync(path)) return null;
  importLog.begin(summaryName);
  const read = await readText(path, importLog.digest);
  if (!('text' in read)) {
    importLog.skip(path, read);
    return null;
  }
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    importLog.skip(path, { expected: 'JSON', found: quoted(read.text) });
    return null;
  }
  const parsed = summarySchema.safeParse(value);
  if (parsed.success) {
    importLog.read += 1;
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  importLog.skip(path, {
    expected: 'the summary of a training',
    found: `"${issue!.path.join('.')}": ${issue!.message}`,
  });
  return null;
}

/** Null when the environment or algorithm is unknown, which is logged. */
export async function openEvaluationTraining(
  found: FoundTraining,
  options: ImportTrainingOptions,
  importLog: ImportLog,
): Promise<Training | null> {
  const summary = await readSummary(found.folder, importLog);
  const zoo = { args: null, hyperparams: null };
  const stated = {
    envs: [],
    zoo,
    algorithm: summary?.label?.split('/')[0] || null,
    names: summary?.logdir?.split(/[/\\]/) ?? [],
  };
  const subject = subjectOf(found, stated, options, importLog);
  if (!subject) return null;
  const [path] = found.files;
  const { rows, problems } = await readOverallLog(path!, importLog.digest);
  const last = [...rows.values()].at(-1);
  // Copies keep the modification time.
  const start = (statSync(path!, { throwIfNoEntry: false })?.mtimeMs ?? 0) / 1000 - (last?.cpu_s ?? 0);
  const evaluated = summary?.use_periodic_eval ?? true;
  const episodes = evaluated ? (summary?.eval_episodes ?? null) : 1;
  const { n_envs, hyperparam_source, hyperparams } = summary ?? {};
  return {
    subject,
    start,
    episodes,
    rewards: evaluated
      ? `means of ${episodes ?? 'an unknown number of'} evaluation episodes each`
      : 'single training episodes, played by the policy while it learned and explored',
    evaluated,
    unknown: [...unknownFacts(zoo, subject), 'single episodes: their means alone are logged'],
    settings: { n_envs, hyperparam_source, hyperparams },
    identity: null,
    evaluations: null,
    read: async (journal) => {
      for (const problem of problems) importLog.skip(path!, problem);
      if (problems.length === 0) importLog.read += 1;
      return readRows(rows, journal, summary, importLog);
    },
  };
}

function readRows(
  rows: ReadonlyMap<number, LoggedTotals>,
  journal: ImportedJournal,
  summary: TrainingSummary | null,
  importLog: ImportLog,
): TrainingOutcome {
  const iterations = [...rows.keys()].sort((a, b) => a - b);
  for (const iteration of iterations) {
    const logged = rows.get(iteration) as LoggedTotals;
    journal.at(logged.cpu_s + logged.api_s);
    appendMean(journal, iteration, logged.reward, 'the log has one policy at a time', logged);
  }
  const rewards = iterations.map((iteration) => (rows.get(iteration) as LoggedTotals).reward);
  const sums = [
    { key: 'mean_reward', value: rewards.reduce((a, b) => a + b, 0) / rewards.length },
    { key: 'best_reward', value: rewards.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) },
    { key: 'final_reward', value: rewards.at(-1) ?? Number.NaN },
  ] as const;
  for (const { key, value } of sums) {
    const said = summary?.[key];
    if (typeof said !== 'number' || Math.abs(said - value) <= 1e-6 * Math.max(1, Math.abs(said))) continue;
    importLog.notes.push(
      `the rows of the log give ${key} ${significant(value, 6)}, the summary gives ${significant(said, 6)}`,
    );
  }
  return {
    iterations: rows.size,
    stopped: summary === null ? 'no readable summary confirms that the training ended' : null,
    flags: [],
    played: null,
  };
}
