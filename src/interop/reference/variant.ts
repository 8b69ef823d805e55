/**
 * Settings of a method that are an experiment of their own in the reference, with a folder of their own: the thresholds
 * of tau_c, and policies in other coordinates. Here they are shipped as `<environment>/<method>-<variant>`.
 */
import { plainNumber } from '../../base/plain-number.ts';
import { resolveConfig } from '../../config/resolve.ts';
import type { Config } from '../../config/schema.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import type { RunUnits } from '../../runs/resolve-units.ts';
import type { LoggedMethod } from './layout.ts';

/** Names of the shipped configurations with `base` in front, and what follows it. */
function variantsOf(base: string): { readonly name: string; readonly id: string }[] {
  return shippedConfigs()
    .filter((name) => name.startsWith(`${base}-`))
    .map((name) => ({ name, id: name.slice(base.length + 1) }));
}

/** The shipped configuration for what the name of an experiment says beyond its method, such as `half`. */
export function shippedVariant(base: string, rest: string): string | null {
  return variantsOf(base).find(({ id }) => rest.split('_').includes(id.split('-')[0]))?.name ?? null;
}

/** `half`, `projected_mlp`; empty for the settings that the method is known by. */
export async function variantOf({ config, env }: RunUnits, method: LoggedMethod): Promise<string> {
  const parts = ({ policy, critic }: Config): (string | null)[] => [
    policy.kind,
    method.thresholdFolder
      ? critic.conservative_threshold === null
        ? 'none'
        : plainNumber(critic.conservative_threshold)
      : null,
  ];
  const own = parts(config);
  const base = `${env.folder}/${method.id}`;
  const known = [{ name: base, id: '' }, ...variantsOf(base)].filter(({ name }) => shippedConfigs().includes(name));
  let standard: (string | null)[] = [];
  for (const { name, id } of known) {
    const theirs = parts((await resolveConfig(name)).config);
    if (theirs.every((part, i) => part === own[i]))
      return id === '' ? (method.thresholdFolder ?? '') : id.replaceAll('-', '_');
    if (id === '') standard = theirs;
  }
  return own
    .filter((part, i) => part !== null && part !== standard[i])
    .map((part) => part?.replaceAll('-', '_'))
    .join('_');
}
