/** `--dry-run` of the commands that make many runs. */
import { counted } from '../base/plain-number.ts';
import { leaves } from '../config/leaves.ts';
import { differingWithin, settingValue } from '../report/settings.ts';
import { type ColumnOf, left, right, tableOf } from '../report/tables/table.ts';
import type { PlannedGroup } from '../sweep/estimate.ts';
import type { SweepRun } from '../sweep/expand.ts';
import type { SweepTraining } from '../sweep/trainings.ts';
import type { Io } from './io.ts';
import type { SweepCommandOptions } from './run-many.ts';

/** Prints the estimated cost of the unfinished runs, grouped by the keys `by`. */
export async function showPlan(
  runs: readonly SweepRun[],
  by: readonly string[],
  options: SweepCommandOptions,
  io: Io,
  trainings: readonly SweepTraining[] = [],
): Promise<void> {
  const { estimateSweep, totalOf } = await import('../sweep/estimate.ts');
  const { configValue } = await import('../report/run-records.ts');
  const { openCpuBackend } = await import('../rollout/cpu/node/backend.ts');
  const backend = openCpuBackend({ threads: 1 });
  const groups = await estimateSweep(runs, options.runsDir, backend).finally(() => backend.close());
  const total = totalOf(groups);
  const planned = await plansOf(trainings, options.runsDir);
  if (options.json) {
    const listed = groups.map(({ config: _config, settings: _settings, ...group }) => group);
    io.printJson({ groups: listed, total, ...(trainings.length > 0 && { trainings: planned }) });
    return;
  }
  if (planned.length > 0) {
    const lines = planned.map((plan) => Object.values(plan).flat().join(', '));
    const finished = planned.filter(({ state }) => state === 'finished').length;
    io.print(`trainings:\n${lines.join('\n')}\n${counted(planned.length, 'training')}, ${finished} of them finished\n`);
  }
  if (runs.length === 0) return;
  const count = (value: number): string => value.toLocaleString('en-US');
  const columns: ColumnOf<PlannedGroup>[] = [
    ...by.map((key) =>
      left(key, ({ config, method }: PlannedGroup) => (key === 'method' ? method : configValue(config, key))),
    ),
    ...differingWithin(groups, ({ env, method, model }) => JSON.stringify([env, method, model]))
      .filter((key) => !by.includes(key))
      .map((key) => left(key, ({ config }: PlannedGroup) => configValue(config, key))),
    right('runs', ({ runs: all }) => all),
    right('finished', ({ finished }) => finished),
    right('started', ({ begun }) => begun),
    right('calls each', ({ each }) => count(each.calls)),
    right('episodes each', ({ each }) => count(each.episodes + each.recheck_episodes)),
    right('tokens each', ({ each }) => count(each.prompt_tokens + each.completion_tokens)),
    right('USD each', ({ each }) => (each.cost_usd === null ? 'no price' : each.cost_usd.toFixed(2))),
  ];
  io.print(io.table(tableOf(groups, { columns })));
  const cost = total.cost_usd === null ? 'cost unknown (no price)' : `about ${total.cost_usd.toFixed(2)} USD`;
  io.print(
    `\n${counted(total.runs, 'run')}, ${total.finished} of them finished; estimate for the others: ${count(total.calls)} model calls, ` +
      `${count(total.episodes)} episodes, about ${count(total.prompt_tokens + total.completion_tokens)} tokens, ${cost}`,
  );
}

/** What a plan of a training says in other words, or does not need to. */
const saidOtherwise = [
  ...['seed', 'iterations', 'evaluation.episodes', 'evaluation.backend', 'recheck.episodes'],
  ...['sb3.training_episodes', 'sb3.training_steps'],
];

/** Trainings in numbers that are known before them, with the settings in which those of one name differ. */
async function plansOf(trainings: readonly SweepTraining[], runsDir: string) {
  const { stateOf } = await import('../sweep/trainings.ts');
  const all = trainings.map((run) => ({ ...run, settings: new Map(leaves(run.config)) }));
  const keys = differingWithin(all, ({ config }) => `${config.env} ${config.method}`).filter(
    (key) => !saidOtherwise.includes(key),
  );
  return all.map((run) => {
    const { env, method, seed, sb3, evaluation, recheck, iterations } = run.config;
    const { training_episodes: episodes, training_steps: steps } = sb3;
    return {
      env,
      method,
      seed: `seed ${seed}`,
      settings: keys.map((key) => `${key} ${settingValue(run, key)}`),
      budget: steps === null ? counted(episodes!, 'training episode') : counted(steps, 'training step'),
      evaluations: `${counted(iterations, 'evaluation')} of ${counted(evaluation.episodes, 'episode')}`,
      recheck: `${counted(recheck.episodes, 'fresh episode')} at the end`,
      state: stateOf(run, runsDir),
    };
  });
}
