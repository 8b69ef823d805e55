/** Whether the code of an environment module is what it was when a run began. */
import type { Env } from '../../envs/env.ts';
import { sourceOf } from '../../envs/node/load.ts';
import type { Manifest } from './manifest.ts';

/** The digest for the manifest of a new run; nothing for an environment of this package, whose version is there. */
export function recordedSource(env: Env): Pick<Manifest, 'env_source'> {
  const digest = sourceOf(env);
  return digest === null ? {} : { env_source: digest };
}

/** In words; null where it is the same, or was not recorded. */
export function changedSource({ env_source: before }: Manifest, env: Env): string | null {
  const now = sourceOf(env);
  if (before === undefined || now === null || now === before) return null;
  const short = (digest: string): string => digest.slice(0, 12);
  return `the source of ${env.id} in "${env.module}" has changed since the run began (${short(before)}, now ${short(now)})`;
}
