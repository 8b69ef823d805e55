/**
 * Builds dist/, unless it was built from exactly these inputs and nobody has changed it since: `npm ci` builds, and so do
 * `npm test`, `npm run torture` and `npm run bench` after it. `--force` builds in any case.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', 'build.stamp.json');

/** Folders and files that decide what is in dist/, besides the installed packages and Node.js. */
const inputs = ['src', 'shaders', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
/** npm writes it into node_modules: the packages that are installed, with their versions. */
const installed = 'node_modules/.package-lock.json';
/** What the build copies beside the compiled files. */
const copied = ['.md', '.json', '.py', '.txt'];

/** Paths of the files in a folder, or the path of a file itself, relative to the root, in order. */
function filesOf(path) {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isFile()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}

function inputDigest() {
  const hash = createHash('sha256').update(process.version);
  for (const path of [...inputs, installed].flatMap(filesOf)) {
    const content = readFileSync(join(root, path));
    hash.update(`\n${path}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** The built files by size and time: a file that is missing, or that something else wrote, is built again. */
function outputDigest() {
  const hash = createHash('sha256');
  for (const path of filesOf('dist')) {
    const file = join(root, path);
    if (file === stamp) continue;
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function isBuilt(digest) {
  try {
    const { inputs: from, outputs } = JSON.parse(readFileSync(stamp, 'utf8'));
    return from === digest && outputs === outputDigest();
  } catch {
    return false;
  }
}

/** Runs a program of the installed packages; ends with its exit code where it fails. */
function run(command) {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(command, { cwd: root, shell: true, stdio: 'inherit', env: { ...process.env, PATH: path } });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      if (code !== 0) process.exit(code ?? 1);
      resolve();
    });
  });
}

function copyTexts() {
  const filter = (path) =>
    !path.startsWith(join(root, 'src/view/page')) &&
    (statSync(path).isDirectory() || copied.some((ending) => path.endsWith(ending)));
  cpSync(join(root, 'src'), join(root, 'dist'), { recursive: true, filter });
}

const digest = inputDigest();
if (process.argv.includes('--force') || !isBuilt(digest)) {
  rmSync(stamp, { force: true });
  await Promise.all([run('tsc -p tsconfig.build.json'), run('node scripts/build-page.mjs')]);
  copyTexts();
  // These replace files that `tsc` has written.
  await run('node scripts/shader-texts.mjs');
  await run('node scripts/bundle-cli.mjs');
  // Sources that changed during the build are built next time.
  writeFileSync(stamp, JSON.stringify({ inputs: digest, outputs: outputDigest() }));
}
