/**
 * The commands in the documentation. Each one is checked: the shell reads its block, the program knows its command, options,
 * configurations, keys, models and environments. The quick ones of a few pages are run; all that can be run, with
 *
 *     R2PO_DOCS=all npx vitest run test/docs/commands.test.ts
 *
 * A run plays small sizes (`shortened`). test/support/doc-blocks.ts says how a block is marked that is not run.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandReference } from '../../scripts/command-reference.mjs';
import { exitCodes } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { commands } from '../../src/cli/command.ts';
import { checkCommand } from '../support/check-command.ts';
import {
  commandBlocks,
  commandsOf,
  isFileOfPackage,
  pages,
  pageText,
  programArguments,
  writePageFiles,
} from '../support/doc-blocks.ts';
import { DocShell } from '../support/doc-shell.ts';

const blocks = pages.flatMap(commandBlocks);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-docs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Programs of others that pages name. */
const others = [
  'apt-get',
  'cat',
  'cd',
  'curl',
  'docker',
  'git',
  'head',
  'jq',
  'mkdir',
  'nvidia-smi',
  'ollama',
  'pip',
  'python3',
  'ssh',
  'sudo',
  'tensorboard',
  'vulkaninfo',
  'xvfb-run',
];
const scripts = Object.keys(
  (JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { scripts: object }).scripts,
);

/** Throws when a command that is not r2po is not one of this package, or of a program that is known. */
function checkOther([program, ...words]: readonly string[]): void {
  const file = words.find((word) => !word.startsWith('-'));
  if (program === 'npm') {
    if (file === 'run' && !scripts.includes(words[words.indexOf('run') + 1]!))
      throw new Error(`no script ${words.join(' ')}`);
  } else if (program === 'npx') {
    if (!['vitest', 'tsc', 'biome'].includes(file!)) throw new Error(`npx ${file}: not known here`);
    for (const path of words.filter((word) => word.startsWith('test/'))) {
      if (!isFileOfPackage(path)) throw new Error(`no file ${path}`);
    }
  } else if (['node', 'bash', 'sh'].includes(program!)) {
    if (!isFileOfPackage(file!)) throw new Error(`no file ${file}`);
  } else if (!others.includes(program!)) throw new Error(`${program}: not a program that is known here`);
}

describe('commands in the documentation', () => {
  it.each(pages.filter((page) => commandBlocks(page).length > 0))(
    '%s: the program understands every one',
    async (page) => {
      const problems: string[] = [];
      for (const block of commandBlocks(page)) {
        for (const words of commandsOf(block, folder)) {
          const own = programArguments(words);
          try {
            if (own === null) checkOther(words);
            else await checkCommand(own);
          } catch (error) {
            problems.push(`${page}:${block.line}: ${words.join(' ')}\n  ${(error as Error).message}`);
          }
        }
      }
      expect(problems.join('\n')).toBe('');
    },
  );

  it('are run unless the page says why not', () => {
    const silent = blocks.filter(({ notRun }) => notRun === null);
    const foreign = silent.flatMap((block) =>
      commandsOf(block, folder)
        .filter((words) => programArguments(words) === null && !['cd', 'cat', 'mkdir', 'head'].includes(words[0]!))
        .map((words) => `${block.page}:${block.line}: ${words.join(' ')}`),
    );
    expect(foreign).toEqual([]);
  });

  it('cannot be wrong unnoticed', async () => {
    for (const [text, message] of [
      ['r2po runn cartpole/r2po', /no command runn/],
      ['r2po run cartpole/r2po --sed 3', /unknown option '--sed'/],
      ['r2po run cartpole/r2pu', /r2pu/],
      ['r2po run cartpole/r2po evaluation.episode=3', /evaluation\.episode/],
      ['r2po run cartpole/r2po --model opnai/gpt-5', /opnai/],
      ["r2po sweep 'cartpole/*' sed=0..3", /sed/],
      ['r2po eval --env CartPole --policy x.json', /CartPole-v1/],
      ['r2po analyze salienc runs', /salienc/],
    ] as const) {
      const [words] = commandsOf({ page: 'a page', line: 1, text, notRun: null, exitCodes: [] }, folder);
      await expect(checkCommand(programArguments(words!)!), text).rejects.toThrow(message);
    }
  });
});

const isAll = process.env.R2PO_DOCS === 'all';
/** Pages whose commands are always run, without those that take seconds each. */
const always = ['README.md', 'docs/first-run.md', 'docs/resume.md'];
const slow = ['parity', 'bench', 'sweep'];
const run = isAll ? pages : always;

describe.each(run.filter((page) => commandBlocks(page).some(({ notRun }) => notRun === null)))('%s', (page) => {
  let shell: DocShell;
  beforeAll(async () => {
    const makesRun = commandBlocks(page).some(({ text, notRun }) => notRun === null && text.includes('--name trial'));
    shell = await DocShell.open(!makesRun);
    writePageFiles(page, shell.folder);
  });
  afterAll(() => shell.close());

  it.each(commandBlocks(page).filter(({ notRun }) => notRun === null))('line $line works', async (block) => {
    const { commands: ran, stderr } = await shell.run(block.text, isAll ? [] : slow);
    if (isAll) console.log(ran.map(({ args, code }) => `${page}: r2po ${args.join(' ')} -> ${code}`).join('\n'));
    const expected = ran.map((_, i) => block.exitCodes[i] ?? 0);
    expect(
      ran.map(({ code }) => code),
      ran.map(({ stderr }) => stderr).join('\n'),
    ).toEqual(expected);
    expect(stderr).toBe('');
  });
});

describe('docs/commands.md', () => {
  it('is what `npm run docs` makes of the program', async () => {
    const reference = await commandReference(commands);
    if (process.env.R2PO_RECORD === '1') writeFileSync(assetPath('docs/commands.md'), reference);
    expect(pageText('docs/commands.md')).toBe(reference);
  });

  it('has every exit code', () => {
    const [, table] = /## Exit codes\n([\s\S]*?)\n## /.exec(pageText('docs/commands.md'))!;
    const documented = [...table!.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes]) => codes!.split(',').map(Number));
    expect(documented).toEqual(Object.values(exitCodes));
  });
});
