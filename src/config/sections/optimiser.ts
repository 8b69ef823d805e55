/** The configuration of a search with an optimiser, which asks no model. */
import type { z } from 'zod';
import { flag, name, section, whole } from '../../base/schema-fields.ts';
import { everyOptimiser } from '../../optimisers/index.ts';
import type { Optimiser } from '../../optimisers/optimiser.ts';
import { commonBudget, runKeys } from './run.ts';

const { low, high, decimals } = runKeys.parameters.def.innerType.shape;

/** The section `optimiser` without the settings of a particular one. */
const common = {
  episodes: whole(1, Number.MAX_SAFE_INTEGER)
    .default(8000)
    .describe('episodes after which the search is done; a generation that would take more is not played'),
  grid: flag()
    .default(false)
    .describe('true: parameters have the decimals of `parameters.decimals`; false: they are not rounded'),
};

function sectionOf(settings: object) {
  return section('the optimiser', { ...common, ...settings });
}

/** The section of each optimiser. */
export const optimiserSections = everyOptimiser.map(({ settings }) => sectionOf(settings.shape));

function schemaOf<S extends z.core.$ZodLooseShape>(id: string, settings: S) {
  return section('a search run of an optimiser', {
    env: runKeys.env,
    env_options: runKeys.env_options,
    method: name([id]).describe('search method'),
    seed: runKeys.seed,
    policy: runKeys.policy,
    parameters: section('parameters that are searched', { low, high, decimals }).prefault({}),
    optimiser: sectionOf(settings).prefault({}),
    evaluation: runKeys.evaluation,
    recheck: runKeys.recheck,
    budget: section('limits that stop the run in a resumable state; null: no limit', commonBudget).prefault({}),
  });
}

/** What all of them have in common, for their type. */
type OptimiserSchema = ReturnType<typeof schemaOf<object>>;

/** In the order in which files are written, by the id of the optimiser: each has settings of its own. */
export const optimiserSchemas: ReadonlyMap<string, OptimiserSchema> = new Map(
  everyOptimiser.map(({ id, settings }: Optimiser) => [id, schemaOf(id, settings.shape)]),
);
