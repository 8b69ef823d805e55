/** What a page does with runs: it controls live ones over their sockets, and starts branches as processes of their own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { quotedCommand } from '../../base/command-line.ts';
import { R2poError, UsageError } from '../../base/errors.ts';
import { mask } from '../../base/secrets.ts';
import { branchStem } from '../../runs/branch/make-branch.ts';
import { controlRun } from '../../runs/control/client.ts';
import type { LiveRun } from '../../runs/control/messages.ts';
import { readManifest } from '../../runs/folder/manifest.ts';
import { branchRequest } from '../api/requests.ts';
import { isSetting } from '../api/setting.ts';
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
    if (isSetting(setting)) continue;
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
  /** folders of the branches that are being started: no other one gets their names */
  readonly starting: Set<string>;
}

/** Whether the process with these arguments made the folder, and no other one that chose the same name. No secret is recorded. */
function isMadeBy(argv: readonly string[], folder: string): boolean {
  try {
    const recorded = readManifest(folder)?.argv ?? [];
    return recorded.length === argv.length && recorded.every((arg, i) => arg === argv[i] || arg.includes(mask));
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/**
 * Starts a branch of a run with a method and returns once its folder is there. Throws with what the command said where it
 * ends before that.
 */
export async function startBranch(
  { folder, method }: { readonly folder: string; readonly method: string },
  body: unknown,
  { program, starting }: BranchStart,
): Promise<StartedBranch> {
  const parsed = branchRequest.safeParse(body);
  if (!parsed.success) throw requestProblem(parsed.error.issues);
  const base = `${branchStem(basename(folder), method)}-at${parsed.data.at}`;
  const isTaken = (name: string): boolean => {
    const path = join(dirname(folder), name);
    return starting.has(path) || existsSync(path);
  };
  let name = base;
  for (let number = 2; isTaken(name); number++) name = `${base}-${number}`;
  const argv = branchArguments(folder, body, name);
  const target = join(dirname(folder), name);
  starting.add(target);
  // A branch that is slow to begin still gets this folder.
  await madeFolder(program, argv, target, () => starting.delete(target));
  return { name, command: quotedCommand(argv) };
}

/** Starts the command as a process of its own and waits until it has made its folder; `onEnd`: it has ended. */
function madeFolder(program: string, argv: readonly string[], target: string, onEnd: () => void): Promise<void> {
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
      if (isMadeBy(argv, target)) done(resolve);
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
    child.on('error', (cause) => {
      onEnd();
      done(() => reject(new R2poError('view', `cannot start a branch: ${cause.message}`, { cause })));
    });
    child.on('exit', (code) => {
      onEnd();
      if (isMadeBy(argv, target)) done(resolve);
      else
        done(() =>
          reject(
            new UsageError('view', said.trim().replace(/^error: /, '') || `the branch ended with exit code ${code}`),
          ),
        );
    });
  });
}
