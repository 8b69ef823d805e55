/** Runs the built program as a user does: a child process with arguments, environment and input. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { assetPath } from '../../src/base/node/assets.ts';

export const mainFile = assetPath('dist/cli/main.js');

export interface CliOptions {
  /** laid over the environment of the tests; undefined removes a variable */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** text for stdin, which is empty without it */
  readonly input?: string;
  /** the child is killed after this time */
  readonly timeoutMs?: number;
  /** arguments of node itself, before the program */
  readonly nodeArgs?: readonly string[];
}

export interface CliResult {
  /** exit code; null when a signal ended the child */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Colour and `.env` of the developer's shell must not decide a test. */
const neutral = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, R2PO_DEBUG: undefined };

/** Starts `r2po` with these arguments and waits for its end. Throws when it does not end in time. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  if (!existsSync(mainFile)) throw new Error(`expected the built program at ${mainFile}; run "npm run build" first`);
  const { env = {}, cwd, input = '', timeoutMs = 60_000, nodeArgs = [] } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArgs, mainFile, ...args], {
      cwd,
      env: { ...process.env, ...neutral, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // EPIPE is fine: the child may not read stdin.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`r2po ${args.join(' ')} did not end within ${timeoutMs} ms\n${stdout}\n${stderr}`));
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
