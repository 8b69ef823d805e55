/**
 * Modules from the user's own files: environments and methods. Loading one runs its code, so a path counts only where the
 * user names it; a run folder or a job may come from somebody else.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { aText, checkArgument } from '../arguments.ts';
import { quotedArgument } from '../command-line.ts';
import { UsageError } from '../errors.ts';
import { sourceDigest } from './module-source.ts';
import { noteUserModule } from './user-fault.ts';

const entries = ['index.ts', 'index.js', 'index.mjs'];

/** A run folder or a job names a module that the user of this process has not named. */
export class UntrustedModuleError extends UsageError {}

/** What modules of one kind define, for messages, and what they get from this program. */
export interface ModuleKind {
  /** where messages begin: the option or key that names the module */
  readonly unit: string;
  /** with its article: `an environment` */
  readonly noun: string;
  /** the option that names a module of a record */
  readonly trustOption: string;
  /** the name by which such a module imports what defines it, and the module of this program that it gets */
  readonly provided: { readonly name: string; readonly load: () => Promise<object> };
}

/** The modules of one kind that the user has named in this process. */
export class UserModules {
  readonly #kind: ModuleKind;
  /** as named, by their real paths */
  readonly #trusted = new Map<string, string>();
  /** digests of the imported modules, by file */
  readonly #imported = new Map<string, string>();

  constructor(kind: ModuleKind) {
    this.#kind = kind;
  }

  /** The module that a path means: the file itself, or the index file of a folder. */
  #file(path: string): string {
    const { unit, noun } = this.#kind;
    const full = resolve(path);
    const found = statSync(full, { throwIfNoEntry: false });
    if (found === undefined) {
      const remedy = 'give the path of a .ts or .js file, or of a folder with an index.ts';
      throw new UsageError(unit, `expected ${noun}'s module at "${path}", found nothing; ${remedy}`);
    }
    if (found.isFile()) return full;
    if (!found.isDirectory()) {
      throw new UsageError(unit, `expected ${noun}'s module at "${path}", got a pipe or a device; name a file`);
    }
    const entry = entries.map((name) => join(full, name)).find((file) => existsSync(file));
    if (entry === undefined) {
      throw new UsageError(unit, `expected one of ${entries.join(', ')} in the folder "${path}", found none; add one`);
    }
    return entry;
  }

  /** The file of a module that the user names, which records may name from now on. Throws a usage error when it is missing. */
  trust(path: string): string {
    checkArgument(this.#kind.unit, 'path', path, aText);
    const file = this.#file(path);
    this.#trusted.set(realpathSync(file), file);
    return file;
  }

  /**
   * The file to load for a path out of a record: the one that the user has named, also where the path is a link to it;
   * `recorded` is the file as the record names it. Throws an `UntrustedModuleError` for any other one.
   */
  trusted(path: string): { readonly file: string; readonly recorded: string } {
    const { unit, noun, trustOption } = this.#kind;
    const recorded = this.#file(path);
    const file = this.#trusted.get(realpathSync(recorded));
    if (file !== undefined) return { file, recorded };
    throw new UntrustedModuleError(
      unit,
      `expected ${noun} that this command names, got the module "${recorded}" out of a record, and loading it ` +
        `runs its code; read it, then add ${trustOption} ${quotedArgument(recorded)}`,
    );
  }

  /**
   * What a module exports, TypeScript or JavaScript, wherever it lies. Throws a usage error with what it throws, or when it
   * has changed since it was imported first: a process keeps the code of then.
   */
  async import(file: string): Promise<Record<string, unknown>> {
    const { unit, noun, provided } = this.#kind;
    const { createJiti } = await import('jiti');
    const virtualModules = { [provided.name]: await provided.load() };
    const jiti = createJiti(import.meta.url, { fsCache: false, virtualModules });
    let exported: Record<string, unknown>;
    try {
      exported = await jiti.import<Record<string, unknown>>(file);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new UsageError(unit, `cannot use the ${plain(noun)}'s module "${file}": ${text}`, cause);
    }
    const now = sourceDigest(file);
    const before = this.#imported.get(file) ?? now;
    if (now !== before) {
      throw new UsageError(unit, `expected "${file}" as it was imported first, got it changed; start again`);
    }
    this.#imported.set(file, now);
    noteUserModule(file);
    return exported;
  }

  /** Digest of the source of an imported module; null: it was not imported. */
  digestOf(file: string): string | null {
    return this.#imported.get(file) ?? null;
  }

  /** The one value that a module defines: its default export, or its one export that `isKind` accepts. */
  async importOne<T>(file: string, isKind: (value: unknown) => value is T, definer: string): Promise<T> {
    const { unit, noun } = this.#kind;
    const exported = await this.import(file);
    const found = isKind(exported.default) ? [exported.default] : [...new Set(Object.values(exported).filter(isKind))];
    const [one] = found;
    if (found.length === 1) return one!;
    const names = Object.keys(exported).join(', ') || 'nothing';
    throw new UsageError(
      unit,
      `expected "${file}" to export one ${plain(noun)} made by ${definer}, as its default; it exports ${names}`,
    );
  }
}

const plain = (noun: string): string => noun.replace(/^an? /, '');
