/**
 * The program and its worker threads as bundles. Run after `tsc`: they replace the compiled entry files in dist/, because
 * Node.js takes most of a second to load the 300 modules that a command needs one by one. The licences of the packages
 * in a bundle are written beside the program.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = 'cli/main';
const workers = ['rollout/cpu/node/worker', 'llm/offline/worker'];
const chunks = 'cli/chunks';

/** All other packages are native, find their own files, or are loaded by few commands. */
const bundled = [
  '@bomb.sh/tab',
  '@hono/node-server',
  '@pydantic/genai-prices',
  'commander',
  'eventsource-parser',
  'hono',
  'hyparquet-writer',
  'p-limit',
  'picocolors',
  'vega',
  'vega-lite',
  'yaml',
  'zod',
];

/** Packages that a bundled package imports are bundled with it. */
function isExternal(specifier, importer) {
  if (/^[./]/.test(specifier) || importer?.includes('/node_modules/')) return false;
  return !bundled.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** The folder of the package that a file belongs to. */
function packageOf(path) {
  let folder = dirname(path);
  while (!existsSync(join(folder, 'package.json')) || readManifest(folder).name === undefined) folder = dirname(folder);
  return folder;
}

function licenceOf(folder) {
  const { name, version, license } = readManifest(folder);
  const text = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${text ? readFileSync(join(folder, text), 'utf8').trim() : ''}`;
}

async function bundle(entries, output) {
  const input = Object.fromEntries(entries.map((entry) => [entry, join(root, 'src', `${entry}.ts`)]));
  const build = await rolldown({ input, platform: 'node', external: isExternal });
  const written = await build.write({ dir: join(root, 'dist'), format: 'esm', comments: { legal: false }, ...output });
  for (const entry of entries) rmSync(join(root, 'dist', `${entry}.js.map`), { force: true });
  return written.output.flatMap(({ moduleIds }) => moduleIds ?? []);
}

rmSync(join(root, 'dist', chunks), { recursive: true, force: true });
const names = { entryFileNames: '[name].js', chunkFileNames: `${chunks}/[name]-[hash].js` };
const modules = await bundle([program], names);
for (const worker of workers) modules.push(...(await bundle([worker], { ...names, codeSplitting: false })));

const folders = new Set(modules.filter((id) => existsSync(id)).map(packageOf));
folders.delete(packageOf(join(root, 'src')));
const licences = [...folders].sort().map(licenceOf);
writeFileSync(join(root, 'dist', `${program}.licenses.txt`), `${licences.join('\n\n---\n\n')}\n`);

// What shells complete: a program that is asked at each press of a key cannot load its commands to say it.
const table = execFileSync(process.execPath, [join(root, 'dist', `${program}.js`), 'complete', '--json']);
writeFileSync(join(root, 'dist/cli/completion.json'), JSON.stringify(JSON.parse(table)));
