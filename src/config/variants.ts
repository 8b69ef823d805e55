/** Shipped configurations of a method with settings of their own, such as `tau-c-half`. */
import { envs } from '../envs/index.ts';
import { methods } from '../methods/index.ts';
import { leaves } from './leaves.ts';
import { openConfig } from './resolve.ts';
import { shippedConfigs } from './shipped.ts';

interface Variant {
  readonly name: string;
  readonly method: string;
  /** the leaves in which it differs from the method's own configuration, as JSON */
  readonly settings: ReadonlyMap<string, string>;
}

async function resolved(name: string) {
  return (await (await openConfig(name)).resolve()).config;
}

async function findVariants(folder: string): Promise<Variant[]> {
  const names = shippedConfigs().flatMap((shipped) => {
    const [home, name] = shipped.split('/');
    return home === folder && !methods.some(({ id }) => id === name) ? [name!] : [];
  });
  return Promise.all(
    names.map(async (name) => {
      const config = await resolved(`${folder}/${name}`);
      const plain = new Map(leaves(await resolved(`${folder}/${config.method}`)));
      const own = leaves(config).filter(([key, value]) => plain.get(key) !== value);
      return { name, method: config.method, settings: new Map(own) };
    }),
  );
}

const known = new Map<string, Promise<Variant[]>>();

/**
 * Name of the shipped variant that a run is; null: none. `env` and `method`: their ids; `settings`: leaves of its
 * configuration, as JSON.
 */
export async function variantOf(
  env: string,
  method: string,
  settings: ReadonlyMap<string, string>,
): Promise<string | null> {
  const folder = envs.find(({ id }) => id === env)?.folder;
  if (folder === undefined) return null;
  const found = known.get(folder) ?? findVariants(folder);
  known.set(folder, found);
  const isOfRun = (variant: Variant) =>
    variant.method === method && [...variant.settings].every(([key, value]) => settings.get(key) === value);
  return (await found).find(isOfRun)?.name ?? null;
}
