/** Shipped configurations of a method with settings of their own, such as `tau-c-half`. */
import { UsageError } from '../base/errors.ts';
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

async function resolved(name: string, settings: string) {
  return (await (await openConfig(name)).resolve([`settings=${settings}`])).config;
}

async function hasPublished(folder: string): Promise<boolean> {
  try {
    await resolved(`${folder}/${methods[0]!.id}`, 'published');
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

async function findVariants(folder: string, family: string): Promise<Variant[]> {
  const names = shippedConfigs().flatMap((shipped) => {
    const [home, name] = shipped.split('/');
    return home === folder && !methods.some(({ id }) => id === name) ? [name!] : [];
  });
  // Published settings are those of the reference's environments.
  if (family === 'published' && !(await hasPublished(folder))) return [];
  return Promise.all(
    names.map(async (name) => {
      const config = await resolved(`${folder}/${name}`, family);
      const plain = new Map(leaves(await resolved(`${folder}/${config.method}`, family)));
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
  // Runs of earlier versions and imported ones say nothing of their settings.
  const family = JSON.parse(settings.get('settings') ?? '"fair"') as string;
  const key = `${folder} ${family}`;
  const found = known.get(key) ?? findVariants(folder, family);
  known.set(key, found);
  const isOfRun = (variant: Variant) =>
    variant.method === method && [...variant.settings].every(([key, value]) => settings.get(key) === value);
  return (await found).find(isOfRun)?.name ?? null;
}
