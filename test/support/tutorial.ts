/** The environment module of docs/own-environment.md, written into a folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assetPath } from '../../src/base/node/assets.ts';

const page = readFileSync(assetPath('docs/own-environment.md'), 'utf8');

/** The code blocks of the page, by what stands behind the opening fence. */
export function blocks(info: RegExp): { name: string; text: string }[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```/gm)]
    .filter((match) => info.test(match[1]!))
    .map((match) => ({ name: match[1]!.replace(/^\w+ ?/, ''), text: match[2]! }));
}

/** Writes the files of the tutorial, `docking/index.js` among them. */
export function writeTutorial(folder: string): void {
  for (const { name, text } of blocks(/^\w+ \S+\/\S+$/)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
