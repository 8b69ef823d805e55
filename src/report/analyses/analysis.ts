/** The interface of an analysis of runs. */
import type { Config } from '../../config/schema.ts';
import type { Env } from '../../envs/env.ts';
import type { Method } from '../../methods/method.ts';
import type { Policy } from '../../policies/policy.ts';
import type { RunStatus } from '../../runs/journal/totals.ts';
import type { Origin } from '../answered-by.ts';
import type { Table } from '../tables/table.ts';
import type { DecidedIteration } from './record.ts';

/** A run that can be analysed. */
export interface AnalysedRun {
  readonly folder: string;
  readonly env: Env;
  /** how the environment's code differs from that of the run, in words; null: it does not, as far as that is known */
  readonly changed: string | null;
  readonly method: Method;
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
}

export interface Analysis {
  readonly id: string;
  readonly title: string;
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

/** Groups by environment and method, in the order of the runs. */
export function groupAnalysed(runs: readonly AnalysedRun[]): AnalysedGroup[] {
  const groups = new Map<string, AnalysedRun[]>();
  for (const run of runs) {
    const key = JSON.stringify([run.env.id, run.method.id]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((members) => ({
    env: members[0]!.env.id,
    method: members[0]!.method.id,
    runs: members,
  }));
}
