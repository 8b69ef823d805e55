/** Methods from the user's own files: a module that exports what `defineMethod` gives. */
import { UserModules } from '../../base/node/user-modules.ts';
import { type AnyMethod, moduleOfMethod, registerMethodModule } from '../index.ts';
import type { Method } from '../method.ts';

const modules = new UserModules({
  unit: 'method',
  noun: 'a method',
  trustOption: '--trust-method',
  provided: { name: 'r2po-webgpu/method', load: () => import('../authoring.ts') },
});

function isMethod(value: unknown): value is Method {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'llm-search';
}

async function importMethod(file: string, name = file): Promise<Method> {
  const method = await modules.importOne(file, isMethod, 'defineMethod');
  return registerMethodModule(method, { name, module: file });
}

/** Lets run folders and jobs use the method at `path`, which the user names. Throws a usage error when it is missing. */
export function trustMethod(path: string): void {
  modules.trust(path);
}

/**
 * Loads the method at `path`, which the user names: a module (JavaScript or TypeScript) or a folder with an index file.
 * `findMethod` knows it by its absolute path. Its default export, or its one export that is a method, counts. Throws a
 * usage error when there is none, or when its id is that of a method of this package.
 */
export async function loadMethod(path: string): Promise<Method> {
  return await importMethod(modules.trust(path));
}

/**
 * As `loadMethod`, for a path out of a run folder or a job. The module that the user has named is loaded, also where the
 * path is a link to it. Throws an `UntrustedModuleError` for any other module.
 */
export async function loadRecordedMethod(path: string): Promise<Method> {
  const { file, recorded } = modules.trusted(path);
  return await importMethod(file, recorded);
}

/** Digest of the source that the method was loaded from; null: it comes from no module of the user. */
export function sourceOfMethod(method: AnyMethod): string | null {
  const module = moduleOfMethod(method);
  return module === null ? null : modules.digestOf(module);
}
