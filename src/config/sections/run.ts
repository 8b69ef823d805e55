/** Keys of every run, whatever the kind of its method. */
import { z } from 'zod';
import { modulePathPattern } from '../../base/module-path.ts';
import {
  between,
  choice,
  fields,
  finite,
  name,
  optional,
  orNull,
  positive,
  section,
  whole,
} from '../../base/schema-fields.ts';
import { envs } from '../../envs/index.ts';
import { isRegisteredMethod, methods } from '../../methods/index.ts';
import { policyKinds } from '../../policies/index.ts';
import { backendChoices } from '../../rollout/backend.ts';
import { maxEpisodeSteps, maxEpisodes, maxSeed } from '../../rollout/job-checks.ts';

/** Methods of language models that need no section of their own: by their ids, or a method of the user by its path. */
export const askingMethod = z
  .union(
    [
      name(methods.filter(({ kind }) => kind === 'llm-search').map(({ id }) => id)),
      z.string().regex(modulePathPattern, { abort: true }),
      // Made known by a program.
      z.string().refine(isRegisteredMethod, { abort: true }),
    ],
    { error: 'the name of a method, or the path of a method module' },
  )
  .describe('search method, by its id, or the path of a method module, relative to this file');

export const runKeys = {
  env: z
    .union(
      [
        name([...envs.map((e) => e.id), ...envs.map((e) => e.folder)]),
        z.string().regex(modulePathPattern, { abort: true }),
      ],
      {
        error: 'the name of an environment, or the path of an environment module',
      },
    )
    .describe('environment, by id or folder name, or the path of an environment module, relative to this file'),
  env_options: fields('options').default({}).describe('options of the environment; see "r2po list envs --json"'),
  settings: choice(['fair', 'published'])
    .default('fair')
    .describe(
      'fair: the same settings for all methods of an environment; published: settings of the reference for the method',
    ),
  seed: whole(0, maxSeed).default(0).describe('seed of all random numbers of the run'),
  iterations: whole(1, 1_000_000).describe('iterations of the method'),
  policy: section('policy that is optimised', {
    kind: name(policyKinds.map((k) => k.id)).describe('policy kind'),
    options: fields('options').default({}).describe('options of that kind; see "r2po list policies"'),
  }),
  parameters: section('parameters that the model may propose', {
    low: finite().default(-6).describe('smallest parameter'),
    high: finite().default(6).describe('largest parameter'),
    decimals: whole(0, 12, orNull).nullable().default(1).describe('decimals of a parameter; null: not rounded'),
    out_of_range: choice(['refuse', 'clip'])
      .default('refuse')
      .describe('a parameter out of range: refuse the reply and ask again, or clip it and tell the model'),
  }).prefault({}),
  evaluation: section('evaluation of a candidate', {
    episodes: whole(1, maxEpisodes).default(20).describe('episodes per candidate and iteration'),
    max_steps: optional(
      whole(1, maxEpisodeSteps, orNull),
      'step limit per episode; null: the limit of the environment',
    ),
    success_threshold: optional(
      finite(orNull),
      'an episode with at least this return is a success; null: the threshold of the environment',
    ),
    success_tolerance: between(0, 1)
      .default(0)
      .describe('tolerance of the success threshold, relative to max(1, |threshold|)'),
    // Without a default: the configurations of earlier runs have no such key.
    holdout: whole(1, maxEpisodes, orNull)
      .nullable()
      .optional()
      .describe('episodes of the best policy on the held-out seeds, which no search plays; null: none'),
    backend: choice(backendChoices)
      .default('auto')
      .describe(
        'backend for the episodes; auto: webgpu if there is a hardware adapter, else wasm for a long search, else cpu; ' +
          'gpujs: GPU.js',
      ),
  }).prefault({}),
  recheck: section('final evaluation of the best policy on fresh seeds: the reported number', {
    episodes: whole(1, maxEpisodes).default(10_000).describe('episodes of the re-check'),
  }).prefault({}),
};

/** Keys of `budget` of every run. */
export const commonBudget = {
  // Without a default: the configurations of earlier runs have no such key.
  max_episodes: whole(1, Number.MAX_SAFE_INTEGER, orNull).nullable().optional().describe('episodes of the search'),
  max_time_s: optional(positive(Number.MAX_VALUE, 'number of seconds', orNull), 'wall time of the run, s'),
};
