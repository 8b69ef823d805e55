/** Shipped configurations of a method with settings of their own, such as `tau-c-half`. */
import { leaves } from './leaves.ts';
import { openConfig } from './resolve.ts';
import { shippedConfigs } from './shipped.ts';

export interface Variant {
  readonly name: string;
  readonly method: string;
  /** the leaves in which it differs from the method's own configuration, as JSON */
  readonly settings: ReadonlyMap<string, string>;
}

async function resolved(name: string) {
  return (await (await openConfig(name)).resolve()).config;
}

async function findVariants(folder: string, methods: readonly string[]): Promise<Variant[]> {
  const names = shippedConfigs().flatMap((shipped) => {
    const [home, name] = shipped.split('/');
    return home === folder && !methods.includes(name!) ? [name!] : [];
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

/** The variants in the folder of an environment. `methods`: the ids of all methods. */
export function variantsOf(folder: string, methods: readonly string[]): Promise<readonly Variant[]> {
  const found = known.get(folder) ?? findVariants(folder, methods);
  known.set(folder, found);
  return found;
}
