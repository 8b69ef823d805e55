/** What a run is going to play: `--backend auto` follows from it where there is no GPU. */
import { type ExpectedWork, valuesPerStep } from '../rollout/auto.ts';
import type { RunUnits } from './resolve-units.ts';

export function workOf(units: RunUnits): ExpectedWork {
  const { env, policy, driver, config, settings } = units;
  const search = driver.plannedEpisodes(units);
  const episodes = search + config.recheck.episodes + (config.evaluation.holdout ?? 0);
  return { env, values: valuesPerStep(policy), episodes, maxSteps: settings.maxSteps };
}
