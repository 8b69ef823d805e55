/**
 * Variants of a method that are separate experiments with separate folders in the reference: the thresholds of tau_c,
 * and policies in other coordinates. They are shipped as `<environment>/<method>-<variant>`.
 */
import { plainNumber } from '../../base/plain-number.ts';
import { resolveConfig } from '../../config/resolve.ts';
import { asksModels, type LlmConfig } from '../../config/schema.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import { llmUnits, type RunUnits } from '../../runs/resolve-units.ts';
import type { LoggedMethod } from './layout.ts';

/** Shipped configurations whose names start with `base`, with the rest of the name. */
function variantsOf(base: string): { readonly name: string; readonly id: string }[] {
  return shippedConfigs()
    .filter((name) => name.startsWith(`${base}-`))
    .map((name) => ({ name, id: name.slice(base.length + 1) }));
}

/**
 * Words of the reference's folder names for variants that it names otherwise: `random_projection_qr_opaque_prompt`,
 * `random_features_tanh_h8_same_dim`.
 */
const folderWords: Readonly<Record<string, readonly string[]>> = {
  'projected-mlp': ['projected', 'projection'],
  'random-features': ['feature', 'features'],
};

/** The shipped configuration for the part of an experiment's name after its method, such as `half`. */
export function shippedVariant(base: string, rest: string): string | null {
  const words = rest.split('_');
  const found = variantsOf(base).find(({ id }) => (folderWords[id] ?? [id]).some((word) => words.includes(word)));
  return found?.name ?? null;
}

/** `half`, `projected_mlp`; empty for the method's default settings. */
export async function variantOf(units: RunUnits, method: LoggedMethod): Promise<string> {
  const { config, env } = llmUnits(units);
  const parts = ({ policy, critic }: LlmConfig): (string | null)[] => [
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
  const family = config.settings === 'published' ? ['settings=published'] : [];
  for (const { name, id } of known) {
    const { config: other } = await resolveConfig(name, family);
    if (!asksModels(other)) continue;
    const theirs = parts(other);
    if (theirs.every((part, i) => part === own[i]))
      return id === '' ? (method.thresholdFolder ?? '') : id.replaceAll('-', '_');
    if (id === '') standard = theirs;
  }
  return own
    .filter((part, i) => part !== null && part !== standard[i])
    .map((part) => part?.replaceAll('-', '_'))
    .join('_');
}
