/** The interface of an analysis of runs. */
import type { Config } from '../../config/schema.ts';
import type { Env } from '../../envs/env.ts';
import type { Method } from '../../methods/method.ts';
import type { Policy } from '../../policies/policy.ts';
import type { RunStatus } from '../../runs/journal/totals.ts';
import type { Origin } from '../answered-by.ts';
import { differingSettings, settingValue, type WithSettings } from '../settings.ts';
import type { Table } from '../tables/table.ts';
import type { DecidedIteration } from './record.ts';

/** A run that can be analysed. */
export interface AnalysedRun extends WithSettings {
  readonly folder: string;
  readonly env: Env;
  /** how the environment's code differs from that of the run, in words; null: it does not, as far as that is known */
  readonly changed: string | null;
  readonly method: Method;
  /** name of the shipped variant of its method; null: none */
  readonly variant: string | null;
  readonly policy: Policy;
  readonly parameters: Pick<Config['parameters'], 'decimals'>;
  readonly seed: number;
  readonly model: string;
  /** a language model or the offline optimiser; for replayed replies, that of the original run */
  readonly origin: Origin;
  readonly status: RunStatus;
  /** tau_c in the prompts of the critic; null: none */
  readonly threshold: number | null;
  readonly iterations: readonly DecidedIteration[];
  /** mean of the best policy on fresh seeds; null before the end */
  readonly rechecked: number | null;
}

export interface AnalysisResult {
  /** added to the JSON document after the counts and the runs */
  readonly document: Readonly<Record<string, unknown>>;
  readonly tables: readonly Table[];
  /** a line per iteration, for programs; left out: the analysis has none */
  readonly rows?: Table;
}

export interface Analysis {
  readonly id: string;
  readonly title: string;
  /** proposals and their revisions */
  readonly reads: 'pairs';
  /** whether its result has rows */
  readonly hasRows?: boolean;
  /** why runs of a method cannot be analysed; null if they can */
  readonly refuses: (method: Method) => string | null;
  readonly analyse: (runs: readonly AnalysedRun[]) => AnalysisResult;
}

/** For `refuses`: an iteration must make two candidates. */
export function needsTwoCandidates({ id, candidates }: Method): string | null {
  if (candidates.length < 2) return `an iteration of ${id} makes a single candidate; a comparison needs two`;
  return candidates.length === 2 ? null : `an iteration of ${id} makes ${candidates.length} candidates, not a pair`;
}

/** For `refuses`: the second candidate must be a critic's revision of the first. */
export function needsCritic(method: Method): string | null {
  const { id, stages } = method;
  const played = stages.indexOf('evaluate');
  return (
    needsTwoCandidates(method) ??
    (stages.lastIndexOf('critic') > played ? null : `${id} has no critic after the evaluation of the proposal`)
  );
}

export interface AnalysedGroup {
  readonly env: string;
  readonly method: string;
  readonly runs: readonly AnalysedRun[];
}

/** What identifies a group in documents and tables, with the number of its runs. */
export interface GroupKeys extends Omit<AnalysedGroup, 'runs'> {
  readonly runs: number;
}

/**
 * Groups by environment, method and the settings that differ, in the order of the runs; the name of a method is followed by
 * such settings. `apart`: settings by which the analysis groups itself, so that variants are one method.
 */
export function groupAnalysed(runs: readonly AnalysedRun[], apart: readonly string[] = []): AnalysedGroup[] {
  const nameOf = ({ method, variant }: AnalysedRun): string =>
    apart.length === 0 ? (variant ?? method.id) : method.id;
  const byMethod = groupBy(runs, (run) => JSON.stringify([run.env.id, nameOf(run)]));
  return byMethod.flatMap((alike) => {
    const keys = differingSettings(alike).filter((key) => !apart.includes(key));
    const settingsOf = (run: AnalysedRun) => keys.map((key) => `${key} ${settingValue(run, key)}`);
    return groupBy(alike, (run) => JSON.stringify(settingsOf(run))).map((members) => {
      const [first] = members;
      return {
        env: first!.env.id,
        method: [nameOf(first!), ...settingsOf(first!)].join(', '),
        runs: members,
      };
    });
  });
}

function groupBy(runs: readonly AnalysedRun[], keyOf: (run: AnalysedRun) => string): AnalysedRun[][] {
  const groups = new Map<string, AnalysedRun[]>();
  for (const run of runs) {
    const key = keyOf(run);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}
