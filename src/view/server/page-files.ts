/** The files of the page, as the build has left them in one flat folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { errorCode, R2poError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { assetPath } from '../../base/node/assets.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

export const indexPage = 'index.html';

export interface PageFile {
  readonly name: string;
  readonly type: string;
  read(): Buffer;
}

const builtPage = assetPath('dist/view/page');

/** By name. Throws an `R2poError` where the page was not built. */
export function pageFiles(folder = builtPage): ReadonlyMap<string, PageFile> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    names = [];
  }
  const files = names.flatMap((name): [string, PageFile][] => {
    const type = types[extname(name)];
    return type === undefined ? [] : [[name, { name, type, read: () => readFile(join(folder, name)) }]];
  });
  if (files.some(([name]) => name === indexPage)) return new Map(files);
  throw new R2poError(
    'view',
    `expected the page in "${folder}", found none; reinstall the package, or build it: npm run build`,
  );
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new R2poError('view', `cannot read "${path}": ${faultWords(cause)}; reinstall the package`, { cause });
  }
}
