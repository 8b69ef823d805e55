/**
 * The pages of the documentation and the command blocks in them.
 *
 * A command block is fenced by "```sh". It may have an HTML comment in front of it:
 *
 *     <!-- not run: needs a key -->     its commands are checked, and never run
 *     <!-- exit codes: 5, 0 -->         what its r2po commands end with, when they are run; 0 without it
 *
 * A block whose fence names a file ("```yaml docking/r2po.yaml") is that file, for the commands of its page.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assetPath } from '../../src/base/node/assets.ts';

/** Paths of all pages, relative to the package: README.md, docs/first-run.md, ... */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(assetPath('docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export const pageText = (page: string): string => readFileSync(assetPath(page), 'utf8');

export interface CommandBlock {
  readonly page: string;
  /** of its first command */
  readonly line: number;
  readonly text: string;
  /** why it is not run; null: it can be run */
  readonly notRun: string | null;
  readonly exitCodes: readonly number[];
}

interface Fence {
  readonly info: string;
  readonly text: string;
  readonly line: number;
  /** the HTML comment in front of it */
  readonly comment: string | null;
}

export function fences(page: string): Fence[] {
  const text = pageText(page);
  return [...text.matchAll(/(?:^ *<!-- (.*?) -->\n)?^( *)```(.*)\n([\s\S]*?)^\2```$/gm)].map((match) => {
    const [whole, comment, indent, info, body] = match;
    const before = text.slice(0, match.index + whole.length - body!.length - indent!.length - 3);
    return { info: info!, text: body!, line: before.split('\n').length, comment: comment ?? null };
  });
}

export function commandBlocks(page: string): CommandBlock[] {
  return fences(page)
    .filter(({ info }) => info === 'sh')
    .map(({ text, line, comment }) => ({
      page,
      line,
      text,
      notRun: /^not run: (.+)$/.exec(comment ?? '')?.[1] ?? null,
      exitCodes:
        /^exit codes: ([\d, ]+)$/
          .exec(comment ?? '')?.[1]
          ?.split(',')
          .map(Number) ?? [],
    }));
}

/** Writes the blocks of a page that are files. */
export function writePageFiles(page: string, folder: string): void {
  for (const { info, text } of fences(page)) {
    const [, name] = /^\w+ (\S*[./]\S*)$/.exec(info) ?? [];
    if (name === undefined) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** The shell runs the block, and every program of it writes its words into file descriptor 3. */
const recorder = `
command_not_found_handle() { printf '%s\\0' "$@" >&3; printf '\\1\\0' >&3; }
for name in r2po npx npm node bash sh cd exec kill; do
  eval "$name() { command_not_found_handle $name \\"\\$@\\"; }"
done
exec() { "$@"; }
PATH=/nowhere
`;

/** The commands of a block as the shell reads them: the words of each, without redirections. Throws what the shell says. */
export function commandsOf({ page, line, text }: CommandBlock, folder: string): string[][] {
  const { output, stderr } = spawnSync('bash', ['-c', `${recorder}\n${text}`], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '64', HOME: folder },
  });
  if (stderr !== '') throw new Error(`${page}:${line}: ${stderr}`);
  const words = (output[3] as unknown as string).split('\0');
  const commands: string[][] = [[]];
  for (const word of words.slice(0, -1)) {
    if (word === '\x01') commands.push([]);
    else commands.at(-1)!.push(word);
  }
  return commands.slice(0, -1);
}

const programs = [['r2po'], ['npx', 'r2po'], ['npx', 'r2po-webgpu'], ['node', 'dist/cli/main.js']];

/** The arguments of r2po; null: another program. */
export function programArguments(words: readonly string[]): string[] | null {
  const found = programs.find((start) => start.every((word, i) => words[i] === word));
  return found === undefined ? null : words.slice(found.length);
}

export const isFileOfPackage = (path: string): boolean => existsSync(assetPath(path));
