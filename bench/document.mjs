/** What the scripts share that keep measured numbers in a document: the program, JSON files, numbers and tables. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'dist/cli/main.js');

/** Runs a command of the built program; its output, or its JSON document. */
export function r2po(args, { json = false } = {}) {
  const { status, stdout } = spawnSync(process.execPath, [cli, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`r2po ${args.join(' ')} ended with exit code ${status}`);
  return json ? JSON.parse(stdout) : stdout;
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
export const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);

/** The group of each comparison of a folder of runs, as `r2po report` has it, that all of its runs have ended. */
export function finishedGroups(runs) {
  const { groups } = r2po(['report', runs, '--json'], { json: true });
  // A group that is not run to its end would compare fewer seeds than the others.
  return groups.filter(({ rewards, unfinished }) => rewards.rechecked !== null && unfinished === 0);
}

/**
 * The runs in a file, and those of a folder, with `numbersOf` each, that are finished and `isOne` of them. A run is known by
 * environment, method and seed; the folder has the last word. Throws where it has two with other settings.
 */
export function withRuns(path, folder, isOne, numbersOf) {
  const nameOf = ({ env, method, seed }) => [env, method, String(seed).padStart(4)].join(' ');
  const { groups } = r2po(['report', folder, '--json'], { json: true });
  const found = groups
    .flatMap(({ runs }) => runs)
    .filter((run) => isOne(run) && run.status === 'finished' && run.best?.rechecked);
  for (const [i, run] of found.entries()) {
    const other = found.slice(0, i).find((one) => nameOf(one) === nameOf(run));
    if (other)
      throw new Error(`expected one run of ${nameOf(run)}, got "${other.folder}" and "${run.folder}"; move one`);
  }
  const known = [...(existsSync(path) ? readJson(path) : []), ...found.map(numbersOf)];
  return [...new Map(known.map((run) => [nameOf(run), run]))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, run]) => run);
}

/** Writes a document, or fails where it is another one; `script` writes it. */
export function keepDocument(document, text, command, script) {
  if (command === 'write') return writeFileSync(document, text);
  if (text === readFileSync(document, 'utf8')) return;
  console.error(`${relative(root, document)} does not hold the numbers of bench/results/; run "${script} write"`);
  process.exit(1);
}

export const plain = (value) =>
  (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(
    /^-(0(\.0+)?)$/,
    '$1',
  );
export const withInterval = ({ mean, ci95 }) =>
  ci95 === null || ci95[0] === ci95[1] ? plain(mean) : `${plain(mean)} [${plain(ci95[0])}, ${plain(ci95[1])}]`;

export const list = (names) =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

export const tableLine = (cells) => `| ${cells.join(' | ')} |`;

/** Replaces what stands between the two markers of a name. */
export function place(document, text, name, content) {
  const pattern = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`expected the markers of "${name}" in ${document}`);
  return text.replace(pattern, (_, before, after) => `${before}\n${content}\n\n${after}`);
}
