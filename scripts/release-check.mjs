/**
 * The release check: the steps of docs/release-check.md in an empty folder, from the tarball.
 *
 *     node scripts/release-check.mjs [--installed DIR] [--node PATH] [--steps 1-12] [--keep]
 *
 * Without --installed, packs this checkout (which must be built) and installs the tarball with npm. Exit code 1 when a step
 * fails.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A step that takes longer hangs. */
const stepTimeoutMs = 300_000;

/** Rows of the table: cells are between bars, of which one in a command is written with a backslash. */
export function stepsOf(page) {
  return page
    .split('\n')
    .filter((line) => /^\| \d+ \|/.test(line))
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/^`|`$/g, '').replaceAll('\\|', '|'));
      return { number: Number(cells[1]), command: cells[2], code: Number(cells[3]), seen: cells[4] };
    });
}

/** A folder with the package; `installed`: the folder of an installation, left out: the tarball is made and installed. */
function prepare(installed) {
  const folder = mkdtempSync(join(tmpdir(), 'r2po-release-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  if (installed) {
    symlinkSync(resolve(installed, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const [{ filename, size, unpackedSize }] = JSON.parse(packed);
  console.log(`tarball: ${(size / 1e6).toFixed(1)} MB, unpacked ${(unpackedSize / 1e6).toFixed(1)} MB`);
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, filename)], {
    cwd: folder,
  });
  return folder;
}

/** Runs a step in a shell; null: it passed. */
export function runStep({ command, code, seen }, folder, path) {
  const { OPENAI_API_KEY: _key, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    timeout: stepTimeoutMs,
    env: { ...env, PATH: [...path, process.env.PATH].join(delimiter), NO_COLOR: '1' },
    input: '',
  });
  const output = `${stdout}${stderr}`;
  if (status !== code)
    return `expected exit code ${code}, got ${status}: ${output.trim().split('\n').slice(-3).join(' / ')}`;
  return output.includes(seen) ? null : `expected "${seen}" in the output, got: ${output.slice(0, 400)}`;
}

function main() {
  const { values } = parseArgs({
    options: {
      installed: { type: 'string' },
      node: { type: 'string' },
      steps: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const [from = 1, to = Number.POSITIVE_INFINITY] = values.steps?.split('-').map(Number) ?? [];
  const all = stepsOf(readFileSync(join(root, 'docs/release-check.md'), 'utf8'));
  const folder = prepare(values.installed);
  const path = [join(folder, 'node_modules', '.bin')];
  if (values.node) path.unshift(dirname(resolve(values.node)));
  let failed = 0;
  console.log(`folder: ${folder}`);
  for (const step of all.filter(({ number }) => number >= from && number <= to)) {
    const start = performance.now();
    const problem = runStep(step, folder, path);
    if (problem !== null) failed += 1;
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    console.log(
      `${problem === null ? 'ok  ' : 'FAIL'} ${String(step.number).padStart(2)} ${seconds} s  ${step.command}`,
    );
    if (problem !== null) console.log(`        ${problem}`);
  }
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
  console.log(failed === 0 ? 'every step passed' : `${failed} steps failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
