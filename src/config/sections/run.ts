/** Keys of every run, whatever the kind of its method. */
import { z } from 'zod';
import { envs } from '../../envs/index.ts';
import { envPathPattern } from '../../envs/registry.ts';
import { methods } from '../../methods/index.ts';
import type { Method } from '../../methods/method.ts';
import { policyKinds } from '../../policies/index.ts';
import { backendChoices } from '../../rollout/backend.ts';
import { maxEpisodeSteps, maxEpisodes, maxSeed } from '../../rollout/job-checks.ts';
import { choice, finite, name, orNull, positive, section, whole } from './fields.ts';

/** The methods of a kind, by their ids. */
export function methodOf(kind: Method['kind']) {
  return name(methods.filter((method) => method.kind === kind).map(({ id }) => id)).describe('search method');
}

export const runKeys = {
  env: z
    .union(
      [
        name([...envs.map((e) => e.id), ...envs.map((e) => e.folder)]),
        z.string().regex(envPathPattern, { abort: true }),
      ],
      {
        error: 'the name of an environment, or the path of a module that defines one',
      },
    )
    .describe('environment, by its id or its folder name, or the path of a module of your own, from this file on'),
  env_options: z
    .record(z.string(), z.json(), { error: 'a section of options' })
    .default({})
    .describe('options of the environment; "r2po list envs" shows which take any'),
  settings: choice(['fair', 'published'])
    .default('fair')
    .describe(
      'fair: one set for all methods of an environment; published: those that the reference used for the method',
    ),
  seed: whole(0, maxSeed).default(0).describe('everything random of the run derives from it'),
  iterations: whole(1, 1_000_000).describe('iterations of the method'),
  policy: section('what is searched for', {
    kind: name(policyKinds.map((k) => k.id)).describe('policy kind'),
    options: z
      .record(z.string(), z.json(), { error: 'a section of options' })
      .default({})
      .describe('options of that kind; "r2po list policies" shows them'),
  }),
  parameters: section('what the model may propose', {
    low: finite().default(-6).describe('smallest parameter'),
    high: finite().default(6).describe('largest parameter'),
    decimals: whole(0, 12, orNull).nullable().default(1).describe('decimals that are kept; null keeps all'),
    out_of_range: choice(['refuse', 'clip'])
      .default('refuse')
      .describe('a parameter outside: refuse the reply and ask again, or clip it and say so'),
  }).prefault({}),
  evaluation: section('episodes that a candidate plays', {
    episodes: whole(1, maxEpisodes).default(20).describe('episodes per candidate and iteration'),
    max_steps: whole(1, maxEpisodeSteps, orNull)
      .nullable()
      .default(null)
      .describe('step cap per episode; null: only the limit of the environment'),
    success_threshold: finite(orNull)
      .nullable()
      .default(null)
      .describe('an episode with at least this return is a success; null: the threshold of the environment'),
    success_tolerance: z
      .number({ error: 'a number in 0 ... 1' })
      .min(0, { error: 'a number in 0 ... 1' })
      .max(1, { error: 'a number in 0 ... 1' })
      .default(0)
      .describe('what a success may lack, as a share of its threshold or, for a threshold between -1 and 1, of 1'),
    backend: choice(backendChoices)
      .default('auto')
      .describe('what plays the episodes; auto: webgpu if there is a hardware adapter, else cpu; gpujs: GPU.js'),
  }).prefault({}),
  recheck: section('the best policy on fresh seeds, at the end: the number that is reported', {
    episodes: whole(1, maxEpisodes).default(10_000).describe('episodes of the re-check'),
  }).prefault({}),
};

/** Keys of `budget`. */
export const timeBudget = {
  max_time_s: positive(Number.MAX_VALUE, 'number of seconds', orNull)
    .nullable()
    .default(null)
    .describe('wall time of the run, s'),
};
