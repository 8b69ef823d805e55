/** Estimates the cost of a sweep. */
import { type Config, modelOf } from '../config/schema.ts';
import { variantOf } from '../config/variants.ts';
import type { Backend } from '../rollout/backend.ts';
import type { CostEstimate } from '../runs/drivers/driver.ts';
import { indexRuns } from '../runs/folder/folder.ts';
import { settingsOf } from '../runs/folder/identity.ts';
import { isFinished } from '../runs/folder/missing.ts';
import { withListPrices } from '../runs/models/cost.ts';
import { UnitCache } from '../runs/resolve-units.ts';
import type { SweepRun } from './expand.ts';

/** Runs that differ only in their seed, what follows from it, and what a resume may change. */
export interface PlannedGroup {
  readonly env: string;
  /** name of the method, or of the shipped variant of it */
  readonly method: string;
  readonly model: string;
  /** of the first run */
  readonly config: Config;
  readonly settings: ReadonlyMap<string, string>;
  readonly runs: number;
  /** finished in the runs folder */
  readonly finished: number;
  /** started there but unfinished */
  readonly begun: number;
  /** estimate of one full run */
  readonly each: CostEstimate;
}

function identityOf(config: Config): string {
  const { env, method, evaluation } = config;
  return JSON.stringify([env, method, modelOf(config), evaluation.backend, ...settingsOf(config)]);
}

/** The groups in the order of their first runs. `backend` plays a few episodes to see how long prompts are. */
export async function estimateSweep(
  runs: readonly SweepRun[],
  runsDir: string,
  backend: Backend,
): Promise<PlannedGroup[]> {
  const known = indexRuns(runsDir);
  const cache = new UnitCache();
  const groups = new Map<string, { config: Config; runs: number; finished: number; begun: number }>();
  for (const { id, config } of runs) {
    const key = identityOf(config);
    const group = groups.get(key) ?? { config, runs: 0, finished: 0, begun: 0 };
    groups.set(key, group);
    group.runs += 1;
    const found = known.get(id);
    if (found) group[isFinished(found) ? 'finished' : 'begun'] += 1;
  }
  const planned: PlannedGroup[] = [];
  for (const group of groups.values()) {
    const units = cache.resolve(await withListPrices(group.config));
    const { method, env } = units;
    const model = modelOf(group.config);
    const settings = settingsOf(group.config);
    planned.push({
      ...group,
      env: env.id,
      method: (await variantOf(env.id, method.id, settings)) ?? method.id,
      settings,
      model,
      each: await units.driver.estimate(units, backend),
    });
  }
  return planned;
}

/** Of the runs that are not finished, a started one counts as a whole run. */
export function totalOf(groups: readonly PlannedGroup[]) {
  const sum = (of: (group: PlannedGroup) => number | null): number | null =>
    groups.reduce<number | null>((total, group) => {
      const open = group.runs - group.finished;
      const each = of(group);
      if (open === 0) return total;
      return total === null || each === null ? null : total + open * each;
    }, 0);
  const count = (of: (estimate: CostEstimate) => number): number => sum(({ each }) => of(each)) as number;
  return {
    runs: groups.reduce((total, { runs }) => total + runs, 0),
    finished: groups.reduce((total, { finished }) => total + finished, 0),
    calls: count(({ calls }) => calls),
    episodes: count((each) => each.episodes + each.recheck_episodes),
    prompt_tokens: count((each) => each.prompt_tokens),
    completion_tokens: count((each) => each.completion_tokens),
    /** null: the configuration states no price of the model */
    cost_usd: sum(({ each }) => each.cost_usd),
  };
}
