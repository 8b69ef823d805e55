/**
 * One file of the chart library. Run after `tsc`: it replaces a module in dist/ that imports the library by a bundle of
 * it, and writes the licences of what is in the bundle beside it.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const module = join('report', 'curves', 'vega');
const input = join(root, 'src', `${module}.ts`);
const file = join(root, 'dist', `${module}.js`);

/** The folder of the package that a file belongs to. */
function packageOf(path) {
  let folder = dirname(path);
  while (!existsSync(join(folder, 'package.json')) || readManifest(folder).name === undefined) folder = dirname(folder);
  return folder;
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function licenceOf(folder) {
  const { name, version, license } = readManifest(folder);
  const text = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${text ? readFileSync(join(folder, text), 'utf8').trim() : ''}`;
}

const bundle = await rolldown({ input, platform: 'node' });
const { output } = await bundle.generate({ format: 'esm', minify: true, comments: false });
const [chunk, ...others] = output;
if (others.length > 0) throw new Error(`expected one file, got ${output.map(({ fileName }) => fileName).join(', ')}`);
const folders = new Set(chunk.moduleIds.filter((id) => existsSync(id)).map(packageOf));
folders.delete(packageOf(input));
writeFileSync(file, chunk.code);
rmSync(`${file}.map`, { force: true });
writeFileSync(file.replace(/\.js$/, '.licenses.txt'), `${[...folders].sort().map(licenceOf).join('\n\n---\n\n')}\n`);
