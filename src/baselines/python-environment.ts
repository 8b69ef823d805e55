/**
 * The Python that trains: a given one, or an environment of its own in the user's cache, installed from the lock files that
 * ship with the package. Nothing else of r2po needs Python.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { interruption, throwIfInterrupted } from '../base/async.ts';
import { R2poError, UsageError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { cannotUse } from '../base/machine-fault.ts';
import { besideCode } from '../base/node/assets.ts';
import { replaceFile } from '../base/node/atomic-file.ts';
import { makeFolder } from '../base/node/make-folder.ts';
import { lockFolder, watchLock } from '../runs/journal/lock.ts';

/** Variable that names a Python, as `--python` does. */
const pythonVariable = 'R2PO_PYTHON';

const lowest = [3, 11] as const;
const lockFiles = { packages: 'requirements.txt', torch: 'torch.txt' } as const;
const torchIndex = 'https://download.pytorch.org/whl/cpu';
/** Bytes on the disk. CUDA: measured on x86-64 Linux; CPU: not measured, an upper estimate. */
const sizes = { cuda: 5.6e9, cpu: 1.5e9 } as const;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** the program could not be started */
  readonly error: Error | null;
}

/** How programs are started; replaced in tests. */
export type RunProgram = (command: readonly string[], signal?: AbortSignal) => Promise<Finished>;

const runProgram: RunProgram = ([program, ...args], signal) =>
  new Promise((resolve) => {
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    const kill = () => child.kill('SIGTERM');
    signal?.addEventListener('abort', kill, { once: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-100_000);
    });
    const end = (code: number | null, error: Error | null) => {
      signal?.removeEventListener('abort', kill);
      resolve({ code, stdout, stderr, error });
    };
    child.on('error', (error) => end(null, error));
    child.on('close', (code) => end(code, null));
  });

const readLock = (name: string): string => readFileSync(besideCode(`baselines/python/${name}`), 'utf8');

/** Version of a package in the lock files. */
export function lockedVersion(name: string): string {
  const text = Object.values(lockFiles).map(readLock).join('\n');
  const version = new RegExp(`^${name}==(\\S+)`, 'm').exec(text)?.[1];
  if (version !== undefined) return version;
  throw new R2poError('python', `expected ${name} in the lock files, found none; reinstall r2po`);
}

/** The user's folder for what can be made again. */
function cacheFolder(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  if (platform === 'win32') return env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  return platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}

/** Folder of the environment for these lock files. */
export function environmentFolder(cache = cacheFolder()): string {
  const hash = createHash('sha256');
  for (const name of Object.values(lockFiles)) hash.update(readLock(name));
  return join(cache, 'r2po', `python-${hash.digest('hex').slice(0, 12)}`);
}

const interpreterIn = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');

const markerName = 'r2po-installed.json';

/** Packages without which nothing can be trained, and whose versions results depend on. */
const needed = ['stable-baselines3', 'sb3-contrib', 'gymnasium', 'torch', 'numpy', 'mujoco'] as const;
/** What the MuJoCo environments of Gymnasium import beside it; no result depends on their versions. */
const besideMujoco = ['imageio', 'packaging'] as const;
const asked = [...needed, ...besideMujoco] as const;
const forMujoco: readonly string[] = ['mujoco', ...besideMujoco];

const question = `
import importlib.metadata as m, json, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
names = ${JSON.stringify(asked)}
print(json.dumps({"python": list(sys.version_info[:3]), "packages": {name: version(name) for name in names}}))
`;

const answer = z.object({
  python: z.tuple([z.int(), z.int(), z.int()]),
  packages: z.record(z.string(), z.string().nullable()),
});
export type PythonFacts = z.output<typeof answer>;

const isOldPython = ([major, minor]: PythonFacts['python']): boolean =>
  major < lowest[0] || (major === lowest[0] && minor < lowest[1]);

async function ask(python: string, run: RunProgram): Promise<PythonFacts | { readonly problem: string }> {
  const { code, stdout, stderr, error } = await run([python, '-c', question]);
  if (error) return { problem: `it cannot be started (${error.message})` };
  try {
    const facts = answer.safeParse(JSON.parse(stdout));
    if (code === 0 && facts.success) return facts.data;
  } catch {}
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return { problem: `it is no Python ${lowest.join('.')} or later${last === '' ? '' : ` (${last.slice(0, 200)})`}` };
}

const install = () => `pip install ${asked.map((name) => `${name}==${lockedVersion(name)}`).join(' ')}`;

/**
 * Checks a Python that the user names. `mujoco`: whether its version matters. Throws a usage error that says what is missing.
 */
async function checkPython(
  python: string,
  option: string,
  { note, mujoco, run = runProgram }: { note: (text: string) => void; mujoco: boolean; run?: RunProgram },
): Promise<void> {
  const facts = await ask(python, run);
  if ('problem' in facts) {
    throw new UsageError(
      option,
      `expected a Python ${lowest.join('.')} or later with Stable-Baselines3, got "${python}": ${facts.problem}`,
    );
  }
  const version = facts.python.join('.');
  if (isOldPython(facts.python)) {
    throw new UsageError(
      option,
      `expected Python ${lowest.join('.')} or later, got ${version} at "${python}"; name another one`,
    );
  }
  const missing = asked.filter((name) => facts.packages[name] === null && (mujoco || !forMujoco.includes(name)));
  if (missing.length > 0) {
    throw new UsageError(
      option,
      `expected a Python with ${missing.join(', ')}, got "${python}" without; run "${python} -m ${install()}", or leave ${option} out`,
    );
  }
  const major = (text: string) => text.split('.')[0];
  const [sb3] = needed;
  if (major(facts.packages[sb3]!) !== major(lockedVersion(sb3))) {
    throw new UsageError(
      option,
      `expected ${sb3} ${major(lockedVersion(sb3))}.x, got ${facts.packages[sb3]} at "${python}"; run "${python} -m ${install()}"`,
    );
  }
  for (const name of needed) {
    const [has, locked] = [facts.packages[name], lockedVersion(name)];
    if (has === null || has === undefined || has.split('+')[0] === locked || (name === 'mujoco' && !mujoco)) continue;
    note(`${name} ${has} at "${python}"; the lock file has ${locked}, so that results may differ`);
  }
}

/** What an installation will do. */
export interface InstallPlan {
  readonly folder: string;
  /** program that makes the environment, and what it is called */
  readonly maker: 'uv' | 'venv';
  readonly python: string;
  readonly torch: 'cpu' | 'cuda';
  readonly torchSource: string;
  readonly bytes: number;
  readonly commands: readonly (readonly string[])[];
}

export interface PythonOptions {
  /** `--python`; undefined: not given */
  readonly python?: string | undefined;
  readonly note: (text: string) => void;
  /** whether the environment of the training needs MuJoCo */
  readonly mujoco: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly run?: RunProgram;
  readonly env?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  /** whether the index of CPU builds of torch answers */
  readonly answers?: (url: string) => Promise<boolean>;
}

async function answersHttp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/torch/`, { method: 'HEAD', signal: AbortSignal.timeout(5000) })).ok;
  } catch {
    return false;
  }
}

/** Candidates for `python3 -m venv`, the newest first. */
const interpreters = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python'] as const;

async function findInterpreter(run: RunProgram): Promise<string> {
  const problems: string[] = [];
  for (const name of interpreters) {
    const facts = await ask(name, run);
    if ('problem' in facts) continue;
    if (!isOldPython(facts.python)) return name;
    problems.push(`${name} is ${facts.python.join('.')}`);
  }
  throw new UsageError(
    'python',
    `expected uv, or Python ${lowest.join('.')} or later, to install Stable-Baselines3 with, found ${problems.join(', ') || 'neither'}; ` +
      'install one of them, or name a Python that has the packages: --python PATH',
  );
}

/** What would be installed, and with what. Throws a usage error where nothing can install it. */
export async function installPlan(options: PythonOptions): Promise<InstallPlan> {
  const { run = runProgram, env = process.env, platform = process.platform, answers = answersHttp } = options;
  const folder = environmentFolder(cacheFolder(env, platform));
  const hasUv = (await run(['uv', '--version'])).code === 0;
  const base = hasUv ? `${lowest.join('.')}` : await findInterpreter(run);
  // Elsewhere the platform's own build is one for CPUs.
  const fromIndex = platform === 'linux' && (await answers(torchIndex));
  const torch = platform === 'linux' && !fromIndex ? 'cuda' : 'cpu';
  const inside = interpreterIn(folder);
  const pip = hasUv
    ? ['uv', 'pip', 'install', '--python', inside]
    : [inside, '-m', 'pip', 'install', '--disable-pip-version-check'];
  const locked = (name: string) => [
    ...pip,
    '--no-deps',
    '--require-hashes',
    '-r',
    besideCode(`baselines/python/${name}`),
  ];
  const cpuTorch = [...pip, '--no-deps', '--index-url', torchIndex, `torch==${lockedVersion('torch')}+cpu`];
  return {
    folder,
    maker: hasUv ? 'uv' : 'venv',
    python: base,
    torch,
    torchSource: fromIndex ? torchIndex : 'the Python package index',
    bytes: sizes[torch],
    commands: [
      hasUv ? ['uv', 'venv', '--python', `>=${base}`, folder] : [base, '-m', 'venv', folder],
      locked(lockFiles.packages),
      fromIndex ? cpuTorch : locked(lockFiles.torch),
    ],
  };
}

/** What an installation is, in lines for the user. */
export function planLines({ folder, maker, torch, torchSource, bytes }: InstallPlan): string[] {
  const packages = needed.map((name) => `${name} ${lockedVersion(name)}`).join(', ');
  const build = torch === 'cpu' ? 'CPU build' : 'CUDA build, as the index of CPU builds does not answer';
  return [
    `Python environment: ${folder} (made with ${maker === 'uv' ? 'uv' : 'python -m venv'})`,
    `packages: ${packages}, and what they need`,
    `torch: ${build}, from ${torchSource}`,
    `size: ${torch === 'cuda' ? 'about' : 'at most about'} ${(bytes / 1e9).toFixed(1)} GB on the disk`,
  ];
}

function requireRoom(folder: string, bytes: number): void {
  let at = folder;
  while (!existsSync(at)) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  if (bavail * bsize >= bytes) return;
  throw new R2poError(
    'python',
    `expected ${(bytes / 1e9).toFixed(1)} GB of free space for "${folder}", got ${((bavail * bsize) / 1e9).toFixed(1)} GB; free some ` +
      'space, set XDG_CACHE_HOME to another disk, or name a Python that has the packages: --python PATH',
  );
}

function installError(command: readonly string[], { code, stderr, error }: Finished): R2poError {
  const lines = stderr.trimEnd().split('\n');
  const last = error?.message ?? lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '';
  const isFull = /No space left|ENOSPC|disk quota/i.test(stderr);
  const isNetwork =
    /Could not find a version|NewConnectionError|Temporary failure|resolve|timed? ?out|dns|connect/i.test(stderr);
  const remedy = isFull
    ? 'free some space, or set XDG_CACHE_HOME to another disk'
    : `${isNetwork ? 'connect to the network and repeat the command' : 'repeat the command'}, or name a Python that has the packages: --python PATH`;
  const got = code === null ? 'no start' : `exit code ${code}`;
  return new R2poError(
    'python',
    `expected "${command.slice(0, 4).join(' ')} ..." to install the packages, got ${got}: ${last.trim().slice(0, 300)}; ${remedy}`,
  );
}

async function makeEnvironment(plan: InstallPlan, options: PythonOptions): Promise<void> {
  const { note, signal, run = runProgram } = options;
  const { folder } = plan;
  if (existsSync(folder)) {
    note(`"${folder}" was not installed to its end; it is made again`);
    rmSync(folder, { recursive: true, force: true });
  }
  requireRoom(folder, plan.bytes);
  for (const line of planLines(plan)) note(line);
  for (const [i, command] of plan.commands.entries()) {
    throwIfInterrupted(signal);
    note(`installing, step ${i + 1} of ${plan.commands.length}: ${command.join(' ')}`);
    const finished = await run(command, signal);
    if (signal?.aborted) throw interruption(signal);
    if (finished.code !== 0) throw installError(command, finished);
  }
  replaceFile(join(folder, markerName), jsonText({ commands: plan.commands }), 'durable');
}

/** The environment of these lock files where it is whole; null: it has to be installed. */
export function installedPython(options: Pick<PythonOptions, 'env' | 'platform'> = {}): string | null {
  const folder = environmentFolder(cacheFolder(options.env, options.platform));
  const inside = interpreterIn(folder);
  return existsSync(join(folder, markerName)) && existsSync(inside) ? inside : null;
}

/** The Python that the user names; null: none. */
export function namedPython({
  python,
  env = process.env,
}: Pick<PythonOptions, 'python' | 'env'>): { path: string; option: string } | null {
  if (python === '')
    throw new UsageError('--python', 'expected the path of a Python, got ""; name one, or leave it out');
  if (python !== undefined) return { path: python, option: '--python' };
  const path = env[pythonVariable];
  return path ? { path, option: pythonVariable } : null;
}

/** Path of a Python that can train: the named one, else that of the cache, which is installed where it is missing. */
export async function openPython(options: PythonOptions): Promise<string> {
  const named = namedPython(options);
  if (named !== null) {
    await checkPython(named.path, named.option, options);
    return named.path;
  }
  const known = installedPython(options);
  if (known !== null) return known;
  const plan = await installPlan(options);
  const parent = dirname(plan.folder);
  try {
    makeFolder(parent);
  } catch (cause) {
    throw cannotUse('python', 'a folder for the Python environment that can be written to', parent, cause);
  }
  // Two processes must not install at the same time.
  const lock = lockFolder(parent, { stale: await watchLock(parent, options) });
  try {
    const made = installedPython(options);
    if (made !== null) return made;
    await makeEnvironment(plan, options);
  } finally {
    lock.release();
  }
  return interpreterIn(plan.folder);
}
