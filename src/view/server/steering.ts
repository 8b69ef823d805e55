/** What a page does with runs: it controls live ones over their sockets, and starts branches as processes of their own. */
import { spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { quotedCommand } from '../../base/command-line.ts';
import { R2poError, UsageError } from '../../base/errors.ts';
import { controlRun } from '../../runs/control/client.ts';
import type { LiveRun } from '../../runs/control/messages.ts';
import { branchRequest } from '../api/requests.ts';
import { requestProblem } from './evaluator.ts';

export const control = (folder: string, body: unknown): Promise<LiveRun> =>
  controlRun(folder, body as Parameters<typeof controlRun>[1]);

/** ms in which a branch that cannot be made says so. */
const startMs = 20_000;
const longestMessage = 4000;

/** The arguments of `r2po branch` for a request. Throws a usage error for one that is none, or holds options. */
export function branchArguments(folder: string, body: unknown, name: string): string[] {
  const parsed = branchRequest.safeParse(body);
  if (!parsed.success) throw requestProblem(parsed.error.issues);
  const { at, model, settings } = parsed.data;
  for (const setting of settings) {
    if (/^[a-z_][\w.]*=/i.test(setting)) continue;
    throw new UsageError('view', `expected settings as key=value, got "${setting}"`);
  }
  if (model?.startsWith('-')) throw new UsageError('view', `expected the name of a model, got "${model}"`);
  const chosen = model === undefined ? [] : ['--model', model];
  return [
    'branch',
    folder,
    '--at',
    String(at),
    '--name',
    name,
    '--runs-dir',
    dirname(folder),
    '--quiet',
    ...chosen,
    ...settings,
  ];
}

export interface StartedBranch {
  /** of its folder, beside that of the run */
  readonly name: string;
  readonly command: string;
}

/** What a process that starts branches needs to know of its surroundings. */
export interface BranchStart {
  /** the program, to be called with node */
  readonly program: string;
  /** whether the folder of the branch is there */
  readonly exists: (folder: string) => boolean;
}

/** Starts the branch and returns once its folder is there. Throws with what the command said where it ends before that. */
export function startBranch(folder: string, body: unknown, { program, exists }: BranchStart): Promise<StartedBranch> {
  const parsed = branchRequest.safeParse(body);
  if (!parsed.success) throw requestProblem(parsed.error.issues);
  let name = '';
  for (let number = 1; name === '' || exists(`${dirname(folder)}/${name}`); number++) {
    name = `${basename(folder).slice(0, 150)}-at${parsed.data.at}${number === 1 ? '' : `-${number}`}`;
  }
  const argv = branchArguments(folder, body, name);
  const target = `${dirname(folder)}/${name}`;
  return new Promise((resolve, reject) => {
    // It goes on when the page's server ends.
    const child = spawn(process.execPath, [program, ...argv], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-longestMessage);
    });
    const begun = performance.now();
    const done = (end: () => void): void => {
      clearInterval(timer);
      child.stderr.destroy();
      child.unref();
      end();
    };
    const timer = setInterval(() => {
      if (exists(target)) done(() => resolve({ name, command: quotedCommand(argv) }));
      else if (performance.now() - begun > startMs) {
        done(() =>
          reject(
            new R2poError(
              'view',
              `expected the branch "${target}" within ${startMs / 1000} s, got none yet; see the list`,
            ),
          ),
        );
      }
    }, 100);
    child.on('error', (cause) =>
      done(() => reject(new R2poError('view', `cannot start a branch: ${cause.message}`, { cause }))),
    );
    child.on('exit', (code) => {
      if (exists(target)) done(() => resolve({ name, command: quotedCommand(argv) }));
      else
        done(() =>
          reject(
            new UsageError('view', said.trim().replace(/^error: /, '') || `the branch ended with exit code ${code}`),
          ),
        );
    });
  });
}
