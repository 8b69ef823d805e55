/** Completion in shells: what a word may be, and the script for bash in a bash. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/command.ts';
import { bashScript } from '../../src/cli/completion/bash.ts';
import { type CompletionTable, suggest, suggestionText } from '../../src/cli/completion/suggest.ts';
import { completionTable } from '../../src/cli/completion/table.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

let table: CompletionTable;
let folder: string;
const before = process.cwd();
beforeAll(async () => {
  table = await completionTable();
  folder = temporaryFolder();
  mkdirSync(join(folder, 'runs', 'trial'), { recursive: true });
  writeFileSync(join(folder, 'runs', 'trial', 'run.json'), '{}');
  writeFileSync(join(folder, 'own.yaml'), '');
  writeFileSync(join(folder, 'größer.yaml'), '');
  writeFileSync(join(folder, '$(touch hacked)'), '');
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

const values = (...words: string[]): string[] => suggest(table, words).map(({ value }) => value);

describe('suggest', () => {
  it('knows every command, its options, and its help', () => {
    expect(values('')).toEqual(commands.map(({ name }) => name));
    for (const { name } of commands) expect(values(name, '--')).toContain('--help');
    expect(values('pa')).toEqual(['parity']);
    expect(values('nothing', '')).toEqual([]);
  });

  it.each([
    [['run', 'cart'], 'cartpole/'],
    [['run', 'cartpole/cma'], 'cartpole/cma-es'],
    [['run', 'o'], 'own.yaml'],
    [['run', 'gr'], 'größer.yaml'],
    [['run', 'cartpole/r2po', '--model', 'off'], 'offline'],
    [['run', 'cartpole/r2po', '--seed', '3', 'evaluation.ep'], 'evaluation.episodes='],
    [['run', 'cartpole/r2po', 'evaluation.backend=w'], 'evaluation.backend=wasm'],
    [['run', '--backend=w'], 'wasm'],
    [['eval', '--policy=r'], 'runs/'],
    [['sweep', 'cartpole/r2po', 'selection=p'], 'selection=paired'],
    [['sweep', 'cartpole/r2po', 'froz'], 'frozenlake/'],
    [['parity', 'CartPole-v1', 'Swim'], 'Swimmer-v5'],
    [['eval', '--env', 'Pend'], 'Pendulum-v1'],
    [['replay', 'runs/'], 'runs/trial'],
    [['verify', 'runs/trial', 'ru'], 'runs/'],
    [['analyze', 'sal'], 'salience'],
    [['ctl', 'pau'], 'pause'],
    [['list', 'meth'], 'methods'],
    [['complete', 'fi'], 'fish'],
    [['list', 'envs', 'Pend'], 'Pendulum-v1'],
    [['sweep', 'cartpole/r2po', 'method=props,cent'], 'method=props,centaur'],
    [['sweep', 'cartpole/pp'], 'cartpole/ppo'],
    [['baseline', 'cart'], 'cartpole/'],
    [['baseline', 'pendulum/zoo/s'], 'pendulum/zoo/sac'],
    [['baseline', 'pendulum/ref'], 'pendulum/reference/sac'],
    [['sweep', 'cartpole/sb3/a'], 'cartpole/sb3/ars'],
    [['sweep', 'cartpole/ppo', 'settings=sb3,z'], 'settings=sb3,zoo'],
    [['sweep', 'cartpole/ppo', 'defects.end'], 'defects.endless_schedule='],
    [['baseline', 'cartpole/ppo', 'settings=z'], 'settings=zoo'],
    [['baseline', 'cartpole/ppo', 'evaluation.ev'], 'evaluation.every='],
  ])('completes %j', (words, expected) => {
    expect(values(...words)).toContain(expected);
  });

  it('suggests nothing that the command refuses', () => {
    expect(values('list', 'methods', '')).toEqual([]);
    expect(values('baseline', 'pendulum/d')).toEqual(['pendulum/ddpg']);
    expect(values('baseline', 'cartpole/ppo', 'evaluation.max')).toEqual([]);
    expect(values('run', 'cartpole/r2po', 'evaluation.backend=cpu,')).toEqual([]);
    const backends = values('sweep', 'cartpole/r2po', 'evaluation.backend=cpu,wasm,');
    expect(backends).toContain('evaluation.backend=cpu,wasm,webgpu');
    expect(backends).not.toContain('evaluation.backend=cpu,wasm,cpu');
  });

  it('suggests nothing that a shell would expand', () => {
    expect(values('run', '')).toContain('own.yaml');
    expect(values('run', '$').join()).toBe('');
    for (const { value } of suggest(table, ['run', ''])) expect(value).not.toMatch(/[$`\\\s]/);
  });

  it('asks for no blank behind what goes on', () => {
    expect(suggestionText(suggest(table, ['run', 'cartp']))).toMatch(/\n:6$/);
    expect(suggestionText(suggest(table, ['pari']))).toMatch(/\n:4$/);
    expect(suggestionText(suggest(table, ['nothing', '']))).toBe(':4');
  });
});

describe('complete', () => {
  it.each([
    ['bash', 'complete -F _r2po r2po'],
    ['zsh', '#compdef r2po'],
    ['fish', 'complete -c r2po '],
    ['fish', 'string split --max 1 -- '],
    ['powershell', "Register-ArgumentCompleter -CommandName 'r2po'"],
  ])('prints the script for %s on stdout', async (shell, line) => {
    const { stdout, stderr } = await runCommand('complete', shell);
    expect(stdout).toContain(line);
    expect(stderr).toBe('');
  });

  it('names an unknown shell', async () => {
    const { code, stderr } = await runCommand('complete', 'zhs');
    expect(stderr).toContain('did you mean "zsh"');
    expect(code).toBe(2);
  });

  it('works in a bash without the package bash-completion', () => {
    const program = resolve(before, 'dist/cli/main.js');
    const lines = [
      bashScript,
      `r2po() { '${process.execPath}' '${program}' "$@"; }`,
      'ask() { COMP_LINE="$1" COMP_POINT=99; _r2po; echo "$COMPREPLY"; }',
      "ask 'r2po pari'",
      "ask 'r2po run cartpole/r2po evaluation.backend=wa'",
      "ask 'r2po run --backend=wa'",
      'COMP_WORDBREAKS=" "',
      "ask 'r2po run --backend=wa'",
    ].join('\n');
    const answer = execFileSync('bash', ['--norc', '-c', lines], { encoding: 'utf8', cwd: folder });
    // bash replaces what stands behind the "=".
    expect(answer).toBe('parity\nwasm\nwasm\n--backend=wasm\n');
  });
});
