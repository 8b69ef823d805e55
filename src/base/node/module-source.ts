/** The digest of a module's source, by which a later command sees that the code has changed since a run. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { readRegular, readRegularText } from './read-file.ts';

/** `from './x.ts'`, `import './x.ts'`, `import('./x.ts')`, `require('./x.ts')` */
const localImports = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"`](\.{1,2}\/[^'"`\n]+)['"`]/g;
const endings = ['', '.ts', '.js', '.mjs', '.cjs', '.mts', '.cts', '.json', '/index.ts', '/index.js'];
/** A module that imports more files than these has more in common with a program than with an environment or a method. */
const maxFiles = 200;

function fileAt(path: string): string | null {
  // TypeScript names its files by the ending that they get when they are compiled.
  const candidates = [...endings.map((ending) => `${path}${ending}`), path.replace(/js$/, 'ts')];
  return candidates.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile()) ?? null;
}

/** The module and the files that it imports by relative paths; absolute paths. */
function moduleFiles(module: string): string[] {
  const found = new Set([module]);
  for (const file of found) {
    for (const [, path] of readRegularText(file).matchAll(localImports)) {
      const target = fileAt(resolve(dirname(file), path!));
      if (target !== null && found.size < maxFiles) found.add(target);
    }
  }
  return [...found];
}

/**
 * SHA-256 over the names, relative to the module, and the contents of its source files and of the files `beside` it that
 * exist. It stays the same when the folder moves as a whole. Throws the error of the file system for a file that cannot be
 * read.
 */
export function sourceDigest(module: string, ...beside: readonly string[]): string {
  const folder = dirname(module);
  const files = [...moduleFiles(module), ...beside.filter((file) => fileAt(file) === file)].map((file) => ({
    name: relative(folder, file).split(sep).join('/'),
    digest: createHash('sha256').update(readRegular(file)).digest('hex'),
  }));
  const lines = files.map(({ name, digest }) => `${digest} ${name}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}
