/**
 * The conservative threshold tau_c: calls of the critic, unchanged revisions at or above the threshold, and the gain per
 * call.
 */
import { estimateText, roundedBy } from '../../base/plain-number.ts';
import { spreadOf, standardError } from '../groups.ts';
import { left, right, type Table, tableOf } from '../tables/table.ts';
import {
  type AnalysedGroup,
  type AnalysedRun,
  type Analysis,
  type GroupKeys,
  groupAnalysed,
  needsCritic,
} from './analysis.ts';
import { environmentColumn, meanOf, methodColumn, numberCell, runsColumn, shareCell } from './format.ts';
import { type DecidedIteration, directionOf, isUnchanged, pairsOf } from './record.ts';

/** Iterations of one kind, such as those whose proposal is at or above the threshold. */
export interface CriticUse {
  /** with a proposal that was played */
  readonly iterations: number;
  readonly called: number;
  readonly skipped: number;
  /** answered model calls, including repair turns */
  readonly model_calls: number;
  /** called without a usable reply */
  readonly unusable: number;
  /** revisions with the parameters of the proposal */
  readonly unchanged: number;
  readonly kept: number;
  readonly regressions: number;
  readonly improvements: number;
  /** mean of revision minus proposal over the revisions; null for none */
  readonly change: number | null;
  /**
   * Mean of kept minus proposal over the iterations with a critic call; null for none. Where the better one is kept it
   * cannot be negative, and noise alone makes it positive; `change` is not biased in this way.
   */
  readonly gain_per_call: number | null;
}

function gainOf({ kept, proposal, revision }: DecidedIteration): number | null {
  const winner = kept === 'revision' ? revision : proposal;
  const gain = winner && proposal ? winner.summary.mean - proposal.summary.mean : Number.NaN;
  return Number.isFinite(gain) ? gain : null;
}

export function criticUse(iterations: readonly DecidedIteration[]): CriticUse {
  const played = iterations.filter(({ proposal }) => proposal !== null);
  const called = played.filter(({ critic }) => critic.calls > 0);
  const pairs = pairsOf(played);
  return {
    iterations: played.length,
    called: called.length,
    skipped: played.length - called.length,
    model_calls: called.reduce((sum, { critic }) => sum + critic.calls, 0),
    unusable: called.filter(({ revision }) => revision === null).length,
    unchanged: pairs.filter(isUnchanged).length,
    kept: called.filter(({ kept }) => kept === 'revision').length,
    regressions: pairs.filter(({ delta }) => directionOf(delta) === 'regression').length,
    improvements: pairs.filter(({ delta }) => directionOf(delta) === 'improvement').length,
    change: meanOf(pairs.map(({ delta }) => delta)),
    gain_per_call: meanOf(called.map(gainOf).filter((gain) => gain !== null)),
  };
}

/** Iterations below the threshold, and at or above it. Without a threshold all are below. */
export function byThreshold(
  iterations: readonly DecidedIteration[],
  threshold: number | null,
): { readonly below: DecidedIteration[]; readonly at_or_above: DecidedIteration[] } {
  const isAbove = ({ proposal }: DecidedIteration): boolean =>
    threshold !== null && proposal !== null && proposal.summary.mean >= threshold;
  return {
    below: iterations.filter((iteration) => !isAbove(iteration)),
    at_or_above: iterations.filter(isAbove),
  };
}

/** Over runs; sd is the sample standard deviation, null for a single run, as is the 95 % interval (Student's t). */
export interface OverRuns {
  readonly runs: number;
  readonly mean: number;
  readonly sd: number | null;
  readonly ci95: readonly [number, number] | null;
}

/** null for no value. */
export function overRuns(values: readonly number[]): OverRuns | null {
  const spread = spreadOf(values);
  return spread && { runs: spread.runs, mean: spread.mean, sd: spread.std, ci95: spread.ci95 };
}

function keptMeans(iterations: readonly DecidedIteration[]): number[] {
  return iterations.flatMap(({ kept, proposal, revision }) => {
    const mean = (kept === 'revision' ? revision : kept === 'proposal' ? proposal : null)?.summary.mean;
    return mean !== undefined && Number.isFinite(mean) ? [mean] : [];
  });
}

interface ThresholdGroup extends GroupKeys {
  /** null: no threshold in the prompts */
  readonly threshold: number | null;
  readonly critic: CriticUse;
  readonly below: CriticUse;
  readonly at_or_above: CriticUse;
  /** per run, then over runs: iterations of one run depend on one another */
  readonly gain_per_call: OverRuns | null;
  readonly mean_reward: OverRuns | null;
  readonly best_reward: OverRuns | null;
  readonly final_reward: OverRuns | null;
  /** the best policies on fresh seeds; without the bias of the best of many means */
  readonly rechecked: OverRuns | null;
}

function groupOf(
  { env, method }: AnalysedGroup,
  threshold: number | null,
  runs: readonly AnalysedRun[],
): ThresholdGroup {
  const iterations = runs.flatMap((run) => run.iterations);
  const parts = byThreshold(iterations, threshold);
  const perRun = (value: (run: AnalysedRun) => number | null | undefined): OverRuns | null =>
    overRuns(runs.map(value).filter((x) => x !== null && x !== undefined));
  const highest = (values: readonly number[]): number | undefined =>
    values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b));
  return {
    env,
    method,
    threshold,
    runs: runs.length,
    critic: criticUse(iterations),
    below: criticUse(parts.below),
    at_or_above: criticUse(parts.at_or_above),
    gain_per_call: perRun((run) => criticUse(run.iterations).gain_per_call),
    mean_reward: perRun((run) => meanOf(keptMeans(run.iterations))),
    best_reward: perRun((run) => highest(keptMeans(run.iterations))),
    final_reward: perRun((run) => keptMeans(run.iterations).at(-1)),
    rechecked: perRun((run) => run.rechecked),
  };
}

/** Groups by environment, method and threshold: the highest threshold first, runs without one last. */
export function thresholdGroups(runs: readonly AnalysedRun[]): ThresholdGroup[] {
  return groupAnalysed(runs, ['critic.conservative_threshold']).flatMap((group) => {
    const thresholds = [...new Set(group.runs.map(({ threshold }) => threshold))];
    thresholds.sort((a, b) => (b ?? -Infinity) - (a ?? -Infinity));
    return thresholds.map((threshold) =>
      groupOf(
        group,
        threshold,
        group.runs.filter((run) => run.threshold === threshold),
      ),
    );
  });
}

const keyColumns = [
  environmentColumn,
  methodColumn,
  right('tau_c', ({ threshold }: Pick<ThresholdGroup, 'threshold'>) => numberCell(threshold) ?? 'none'),
];

/** The proposals of a group: all of them, and those on either side of its threshold. */
function partsOf(group: ThresholdGroup): readonly { readonly name: string; readonly use: CriticUse }[] {
  const sides = [
    { name: 'below', use: group.below },
    { name: 'at or above', use: group.at_or_above },
  ];
  return [{ name: 'all', use: group.critic }, ...(group.threshold === null ? [] : sides)];
}

function useTable(groups: readonly ThresholdGroup[]): Table {
  const rows = groups.flatMap((group) => partsOf(group).map((part) => ({ ...group, ...part })));
  return tableOf(rows, {
    title: 'Critic calls',
    note:
      'Below and at or above tau_c: the mean of the proposal; from tau_c on the critic shall change little. ' +
      'Change: revision minus proposal. Gain per call: kept minus proposal, never negative where the better is kept.',
    columns: [
      ...keyColumns,
      left('proposals', ({ name }) => name),
      right('iterations', ({ use }) => use.iterations),
      right('called', ({ use }) => shareCell(use.called, use.iterations)),
      right('skipped', ({ use }) => use.skipped),
      right('unusable', ({ use }) => use.unusable),
      right('unchanged', ({ use }) => shareCell(use.unchanged, use.called)),
      right('kept', ({ use }) => shareCell(use.kept, use.called)),
      right('worse', ({ use }) => shareCell(use.regressions, use.called)),
      right('change', ({ use }) => numberCell(use.change)),
      right('gain per call', ({ use }) => numberCell(use.gain_per_call)),
    ],
  });
}

/** `251.4 ± 13.1`, rounded by the standard error */
function meanAndDeviation(found: OverRuns | null): string | null {
  if (found === null) return null;
  const { mean, sd, runs } = found;
  const text = roundedBy(standardError({ std: sd, runs }), 4);
  return sd === null ? text(mean) : `${text(mean)} ± ${text(sd)}`;
}

function rewardTable(groups: readonly ThresholdGroup[]): Table {
  return tableOf(groups, {
    title: 'Rewards by threshold',
    note:
      'Over runs: mean ± sample standard deviation; the gain per call with its 95 % interval. The highest reward of the ' +
      'search is that of many noisy means; the re-checked one is not.',
    columns: [
      ...keyColumns,
      runsColumn,
      right('re-checked', ({ rechecked }) => meanAndDeviation(rechecked)),
      right('highest of the search', (group) => meanAndDeviation(group.best_reward)),
      right('mean reward', (group) => meanAndDeviation(group.mean_reward)),
      right('final', (group) => meanAndDeviation(group.final_reward)),
      right('gain per call (95 %)', ({ gain_per_call: gain }) => gain && estimateText(gain.mean, gain.ci95, 3)),
    ],
  });
}

export const tauC: Analysis = {
  id: 'tau-c',
  title: 'calls of the critic, unchanged revisions and gain per call, by threshold',
  reads: 'pairs',
  refuses: needsCritic,
  analyse(runs) {
    const groups = thresholdGroups(runs);
    const perRun = runs.map((run) => {
      const parts = byThreshold(run.iterations, run.threshold);
      return {
        run: run.folder,
        threshold: run.threshold,
        critic: criticUse(run.iterations),
        below: criticUse(parts.below),
        at_or_above: criticUse(parts.at_or_above),
      };
    });
    return { document: { groups, per_run: perRun }, tables: [useTable(groups), rewardTable(groups)] };
  },
};
