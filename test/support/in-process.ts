/** Runs a command inside the test process, with the same program as the command line. */
import { Readable } from 'node:stream';
import { createIo } from '../../src/cli/io.ts';
import { runProgram } from '../../src/cli/program.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandPlace {
  /** laid over the environment of the tests; undefined removes a variable */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** text for stdin, which is empty without it */
  readonly input?: string;
}

/** commands that run now; what they share can only be changed for one of them */
let running = 0;

/** `argv`: without `r2po`; the manifests of runs record it. */
export function runCommand(...argv: string[]): Promise<CommandResult> {
  return runHere(argv);
}

/**
 * What `runCli` of cli.ts does, without a process: for tests of what a command does. Tests of signals, of memory, of a
 * broken-off process and of the built program itself need `runCli`.
 */
export async function runHere(argv: readonly string[], place: CommandPlace = {}): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const own = Object.keys(place).length > 0;
  if (own && running > 0) throw new Error('expected a command in a place of its own to run alone; use runCli');
  running++;
  const restore = own ? moveTo(place) : () => {};
  const before = process.argv;
  process.argv = [...before.slice(0, 2), ...argv];
  try {
    const code = await runProgram(argv, createIo(stream('stdout'), stream('stderr'), { NO_COLOR: '1' }));
    return { code, ...written };
  } finally {
    process.argv = before;
    restore();
    running--;
  }
}

/** Changes what a process has only once; the returned function takes it back. */
function moveTo({ env = {}, cwd, input = '' }: CommandPlace): () => void {
  const environment = { ...process.env };
  const [folder, stdin] = [process.cwd(), Object.getOwnPropertyDescriptor(process, 'stdin')!];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  if (cwd !== undefined) process.chdir(cwd);
  Object.defineProperty(process, 'stdin', { configurable: true, value: Readable.from([Buffer.from(input)]) });
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    process.chdir(folder);
    Object.defineProperty(process, 'stdin', stdin);
  };
}
