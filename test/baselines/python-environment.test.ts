/** The Python environment of trainings: what is installed, and what happens when that fails. No program is started. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import {
  environmentFolder,
  type Finished,
  installPlan,
  lockedVersion,
  openPython,
  type PythonOptions,
  planLines,
  type RunProgram,
} from '../../src/baselines/python-environment.ts';
import { temporaryFolder } from '../support/experiment.ts';

const done: Finished = { code: 0, stdout: '', stderr: '', error: null };
const failed = (stderr: string): Finished => ({ ...done, code: 1, stderr });
const facts = (python: readonly number[]) => ({ ...done, stdout: JSON.stringify({ python, packages: {} }) });

interface World {
  readonly uv?: boolean;
  /** versions of the Pythons that are there, by name */
  readonly pythons?: Readonly<Record<string, readonly number[]>>;
  /** what the n-th installing command ends with */
  readonly install?: (step: number) => Finished;
}

function worldOf({ uv = false, pythons = { python3: [3, 12, 1] }, install = () => done }: World) {
  const started: string[][] = [];
  const notes: string[] = [];
  const run: RunProgram = async (command) => {
    const [program, second] = command as [string, string];
    if (second === '--version') return uv ? done : { ...done, code: null, error: new Error('ENOENT') };
    if (second === '-c')
      return pythons[program] ? facts(pythons[program]) : { ...done, code: null, error: new Error('ENOENT') };
    started.push([...command]);
    const folder = command.at(-1)!;
    if (command.includes('venv')) {
      mkdirSync(join(folder, 'bin'), { recursive: true });
      writeFileSync(join(folder, 'bin', 'python'), '');
    }
    return install(started.length);
  };
  const options: PythonOptions = {
    ...{ note: (text: string) => notes.push(text), mujoco: false, run, platform: 'linux' },
    env: { XDG_CACHE_HOME: temporaryFolder() },
    answers: async () => false,
  };
  return { options, started, notes };
}

describe('a Python environment', () => {
  it('is made with uv where there is one, from the lock files with their hashes', async () => {
    const { options, started, notes } = worldOf({ uv: true });
    const python = await openPython(options);
    const folder = environmentFolder(options.env!.XDG_CACHE_HOME);
    expect(python).toBe(join(folder, 'bin', 'python'));
    expect(started.map((command) => command.slice(0, 3).join(' '))).toEqual([
      'uv venv --python',
      'uv pip install',
      'uv pip install',
    ]);
    for (const command of started.slice(1))
      expect(command).toEqual(expect.arrayContaining(['--require-hashes', '--no-deps']));
    // What is installed and how big it is stands before the first step.
    const size = notes.findIndex((text) => text.includes('GB on the disk'));
    expect(size).toBeGreaterThanOrEqual(0);
    expect(size).toBeLessThan(notes.findIndex((text) => text.startsWith('installing, step 1 of 3')));
    // Once is enough.
    expect(await openPython(options)).toBe(python);
    expect(started).toHaveLength(3);
  });

  it('is made with venv otherwise, and torch is the CPU build where its index answers', async () => {
    const { options, started } = worldOf({});
    await openPython({ ...options, answers: async () => true });
    expect(started[0]!.slice(0, 3)).toEqual(['python3', '-m', 'venv']);
    expect(started[2]!.at(-1)).toBe(`torch==${lockedVersion('torch')}+cpu`);
    const cuda = await installPlan(options);
    expect(planLines(cuda).join('\n')).toContain('CUDA build, as the index of CPU builds does not answer');
    expect(cuda.bytes).toBeGreaterThan(5e9);
    const mac = await installPlan({ ...options, platform: 'darwin' });
    expect({ torch: mac.torch, last: mac.commands[2]!.at(-1) }).toEqual({
      ...{ torch: 'cpu', last: expect.stringContaining('torch.txt') },
    });
  });

  it('that was not installed to its end is made again', async () => {
    let broken = true;
    const world = worldOf({ install: (step) => (broken && step === 2 ? failed('Killed') : done) });
    await expect(openPython(world.options)).rejects.toThrow('got exit code 1: Killed; repeat the command');
    broken = false;
    const python = await openPython(world.options);
    expect(world.notes.join('\n')).toContain('was not installed to its end; it is made again');
    expect(existsSync(join(dirname(python), '..', 'r2po-installed.json'))).toBe(true);
  });

  it.each([
    [
      'ERROR: Could not find a version that satisfies the requirement mujoco==3.14.0',
      'connect to the network and repeat the command',
    ],
    ['OSError: [Errno 28] No space left on device', 'free some space, or set XDG_CACHE_HOME'],
    ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES', 'repeat the command, or name a Python'],
  ])('whose installation fails says why: %s', async (stderr, remedy) => {
    const { options } = worldOf({ install: (step) => (step === 2 ? failed(`Collecting\n${stderr}\n`) : done) });
    const error = await openPython(options).catch((thrown: Error) => thrown.message);
    expect(error).toContain(stderr);
    expect(error).toContain(remedy);
  });

  it('needs uv or a Python that is new enough', async () => {
    const { options } = worldOf({ pythons: { python3: [3, 9, 2] } });
    await expect(openPython(options)).rejects.toThrow('found python3 is 3.9.2; install one of them');
    await expect(openPython(worldOf({ pythons: {} }).options)).rejects.toThrow('found neither');
    const newer = worldOf({ pythons: { python3: [3, 9, 2], 'python3.12': [3, 12, 0] } });
    expect((await installPlan(newer.options)).python).toBe('python3.12');
  });
});

it('the lock files have hashes of everything, and MuJoCo as it was recorded', () => {
  const files = ['requirements.txt', 'torch.txt'].map((name) =>
    readFileSync(assetPath(`src/baselines/python/${name}`), 'utf8'),
  );
  const entries = files.flatMap((text) => text.split(/\n(?=\S)/).filter((entry) => /^[a-z]/.test(entry)));
  expect(entries.length).toBeGreaterThan(30);
  for (const entry of entries) expect(entry).toMatch(/^\S+==\S+.*(?:\n {4}--hash=sha256:[0-9a-f]{64}.*)+/);
  // The extra "mujoco" of gymnasium, whose environments import them.
  for (const name of ['mujoco', 'imageio', 'packaging', 'pillow']) expect(lockedVersion(name)).toMatch(/^\d/);
  expect(lockedVersion('mujoco')).toBe('3.14.0');
  const { versions } = JSON.parse(readFileSync(assetPath('test/golden/Swimmer-v5.json'), 'utf8')) as {
    versions: { mujoco: string };
  };
  expect(versions.mujoco).toBe(lockedVersion('mujoco'));
});
