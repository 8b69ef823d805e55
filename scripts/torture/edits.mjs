/** Folders that somebody edited, cut, damaged, or made to lead elsewhere. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { contentOf, program, readJson, small } from './program.mjs';

function copyOf({ home, whole }, name) {
  const folder = join(home, name);
  cpSync(whole.folder, folder, { recursive: true });
  return folder;
}

/** Whether `verify` finds a difference, without taking it for a fault of its own. */
async function isFound(folder) {
  const { code, stderr, bug } = await program(['verify', folder, '--quiet']);
  return code === 6 && !bug ? null : `verify ended with ${code}: ${stderr.trim()}`;
}

/** Cut behind a random byte: `--resume` refuses and changes no file, and `verify` finds it. */
export async function cutRecord(context) {
  const folder = copyOf(context, `cut-${context.index}`);
  const path = join(folder, 'events.jsonl');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor(context.random() * (bytes.length - 1))));
  const before = contentOf(folder);
  const args = ['run', ...small, '--runs-dir', context.home, '--name', `cut-${context.index}`, '--resume'];
  const { code, stderr } = await program(args);
  if (code !== 2) return `--resume ended with ${code}: ${stderr.trim()}`;
  if (contentOf(folder) !== before) return '--resume changed a file';
  return await isFound(folder);
}

/** One character of the record becomes another. */
export async function editedRecord(context) {
  const folder = copyOf(context, `edited-${context.index}`);
  const path = join(folder, 'events.jsonl');
  const bytes = readFileSync(path);
  const at = Math.floor(context.random() * bytes.length);
  bytes[at] = bytes[at] === 0x37 ? 0x38 : 0x37;
  writeFileSync(path, bytes);
  const problem = await isFound(folder);
  return problem && `byte ${at}: ${problem}`;
}

/** Two neighbouring lines change places. */
export async function reorderedRecord(context) {
  const folder = copyOf(context, `reordered-${context.index}`);
  const path = join(folder, 'events.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = Math.floor(context.random() * (lines.length - 2));
  [lines[at], lines[at + 1]] = [lines[at + 1], lines[at]];
  writeFileSync(path, lines.join('\n'));
  return await isFound(folder);
}

/** The paths of all numbers in a JSON value. */
function numbersIn(value, path = []) {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, [...path, key]));
}

/** One number of `summary.json` becomes a larger one. */
export async function editedSummary(context) {
  const folder = copyOf(context, `summary-${context.index}`);
  const path = join(folder, 'summary.json');
  const summary = readJson(path);
  const paths = numbersIn(summary);
  const keys = paths[Math.floor(context.random() * paths.length)];
  const last = keys.at(-1);
  const inner = keys.slice(0, -1).reduce((value, key) => value[key], summary);
  inner[last] = 2 * inner[last] + 1;
  writeFileSync(path, JSON.stringify(summary));
  const problem = await isFound(folder);
  return problem && `${keys.join('.')}: ${problem}`;
}

const linked = [
  'summary.json',
  'metrics.csv',
  'best.json',
  'run.json',
  'reward.svg',
  'events.jsonl',
  'trajectories',
  'tb',
];

/** A file of a stopped run is a link that leads out of it: resuming writes nothing there. */
export async function symlinks(context) {
  const { home, index } = context;
  const name = `linked-${index}`;
  const folder = join(home, name);
  const args = ['run', ...small, '--runs-dir', home, '--name', name];
  await program([...args, '--max-calls', '3']);
  const outside = mkdtempSync(join(home, 'outside-'));
  const file = linked[index % linked.length];
  const target = join(outside, file);
  if (existsSync(join(folder, file))) renameSync(join(folder, file), target);
  else writeFileSync(target, 'not yours');
  symlinkSync(target, join(folder, file));
  const before = contentOf(outside);
  const { stderr, bug } = await program([...args, '--resume']);
  if (bug) return `${file}: ${stderr.trim()}`;
  return contentOf(outside) === before ? null : `${file}: a file outside of the run was changed`;
}

const damages = [
  (folder) => writeFileSync(join(folder, 'run.json'), ''),
  (folder) => writeFileSync(join(folder, 'run.json'), '[]'),
  (folder) => rmSync(join(folder, 'summary.json')),
  (folder) => writeFileSync(join(folder, 'summary.json'), '{"status":'),
  (folder) => writeFileSync(join(folder, 'metrics.csv'), Buffer.from([0, 255, 10, 254])),
  (folder) => writeFileSync(join(folder, 'config.yaml'), 'env: [\n'),
  (folder) => writeFileSync(join(folder, 'events.jsonl'), ''),
  (folder) => rmSync(join(folder, 'run.json')),
  (folder) => {
    rmSync(join(folder, 'summary.json'));
    mkdirSync(join(folder, 'summary.json'));
  },
  (folder) => appendFileSync(join(folder, 'run.json'), '}'),
];

/** A damaged run beside a good one: the report lists the one, and holds the other. */
export async function damagedFolder(context) {
  const { index } = context;
  const runs = mkdtempSync(join(context.home, 'among-'));
  for (const name of ['good', 'bad']) cpSync(context.whole.folder, join(runs, name), { recursive: true });
  damages[index % damages.length](join(runs, 'bad'));
  const { code, stdout, stderr, bug } = await program(['report', runs, '--json', '--quiet']);
  if (bug || code !== 1) return `damage ${index % damages.length}: report ended with ${code}: ${stderr.trim()}`;
  const reported = JSON.parse(stdout).groups.flatMap((group) => group.runs.map(({ folder }) => folder));
  if (reported.join() !== join(runs, 'good'))
    return `damage ${index % damages.length}: reported ${reported.join(', ')}`;
  return stderr.includes(join(runs, 'bad')) ? null : `damage ${index % damages.length}: not listed`;
}

const atoms = [
  '{',
  '}',
  '[',
  '"',
  ':',
  ',',
  '\n',
  '\\',
  '\0',
  '\u001b[2J',
  '\u202e',
  '\ufeff',
  '1e999',
  '-',
  '&a *a',
  '!!js',
  '=cmd()',
  'null',
  '💥',
  '<svg>',
];

/** Files of random texts in place of those of a run, and as policies: refused in words, in less than 20 s. */
export async function hostileTexts(context) {
  const { home, random, index } = context;
  const folder = copyOf(context, `hostile-${index}`);
  const text = Array.from({ length: 400 }, () => atoms[Math.floor(random() * atoms.length)]).join('');
  const name = ['run.json', 'config.yaml', 'events.jsonl', 'summary.json', 'metrics.csv', 'best.json'][index % 6];
  writeFileSync(join(folder, name), text);
  const commands = [
    ['verify', folder],
    ['report', folder],
    ['eval', '--env', 'CartPole-v1', '--backend', 'cpu', '--policy', join(folder, name)],
    ['export', folder, '--out', join(home, `hostile-out-${index}`)],
  ];
  const start = Date.now();
  const { code, stderr, stdout, bug } = await program(commands[Math.floor(index / 6) % commands.length]);
  if (bug || code === null) return `${name}: ended with ${code}: ${stderr.trim()}`;
  if (Date.now() - start > 20_000) return `${name}: took ${Date.now() - start} ms`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no such character may reach a terminal
  return /[\u0000\u001b\u202e]/.test(stdout + stderr) ? `${name}: control characters were printed` : null;
}
