/** Whether the code of the user's own modules is what it was when a run began. */
import type { Env } from '../../envs/env.ts';
import { sourceOf } from '../../envs/node/load.ts';
import { type AnyMethod, moduleOfMethod } from '../../methods/index.ts';
import { sourceOfMethod } from '../../methods/node/load.ts';
import type { Manifest } from './manifest.ts';

/** The digests for the manifest of a new run; nothing for units of this package, whose version is there. */
export function recordedSource(env: Env, method: AnyMethod): Pick<Manifest, 'env_source' | 'method_source'> {
  const [ofEnv, ofMethod] = [sourceOf(env), sourceOfMethod(method)];
  return { ...(ofEnv !== null && { env_source: ofEnv }), ...(ofMethod !== null && { method_source: ofMethod }) };
}

function difference(id: string, module: string | null, before: string | undefined, now: string | null): string | null {
  if (before === undefined || now === null || now === before) return null;
  const short = (digest: string): string => digest.slice(0, 12);
  return `the source of ${id} in "${module}" has changed since the run began (${short(before)}, now ${short(now)})`;
}

/** In words; null where it is the same, or was not recorded. `method`: left out where nothing of it is used. */
export function changedSource(manifest: Manifest, env: Env, method?: AnyMethod): string | null {
  const ofEnv = difference(env.id, env.module, manifest.env_source, sourceOf(env));
  if (ofEnv !== null || method === undefined) return ofEnv;
  return difference(method.id, moduleOfMethod(method), manifest.method_source, sourceOfMethod(method));
}
