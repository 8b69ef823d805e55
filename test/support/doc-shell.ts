/** Runs a command block as a shell does; its r2po commands run in this process, with small sizes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { findMethod } from '../../src/methods/index.ts';
import { type CommandResult, runCommand } from './in-process.ts';

/** `r2po` asks the process of the test: a request is a file with the words; the answer is the exit code and a file of stdout. */
const shellFunctions = `
r2po() {
  local request answer code word input=
  request=$(mktemp -p "$REQUESTS")
  for word in "$@"; do
    if [ "$word" = - ]; then cat > "$request.in"; word=$request.in; fi
    printf '%s\\0' "$word" >> "$request"
  done
  printf '%s\\n' "$request" >&3
  IFS= read -r code <&4
  cat "$request.out"
  return "$code"
}
npx() { if [ "$1" = r2po ]; then "$@"; else echo "npx $1: not run here" >&2; return 1; fi; }
`;

/** Sizes that a reader may choose; a page shows those that are useful. */
export function shortened([command, ...words]: readonly string[]): string[] {
  const capped = (option: string, most: number, all: readonly string[]): string[] =>
    all.map((word, i) => (all[i - 1] === option ? String(Math.min(Number(word), most)) : word));
  const set = (all: readonly string[], key: string, value: number | string): string[] => [
    ...all.filter((word) => !word.startsWith(`${key}=`)),
    `${key}=${value}`,
  ];
  /** Optimisers alone have no number of iterations. */
  const size = (all: readonly string[], iterations: number): string[] => {
    const named = all.flatMap((word) => /^[a-z-]+\/([a-z0-9-]+)$/.exec(word)?.[1] ?? []);
    const areOptimisers = named.length > 0 && named.every((id) => findMethod(id).kind === 'optimiser');
    return areOptimisers ? set(all, 'optimiser.episodes', 200) : set(all, 'iterations', iterations);
  };
  const plain = words.includes('--resume') || words.includes('--dry-run');
  switch (command) {
    case 'run': {
      if (plain) return [command, ...words];
      return [command, ...set(size(words, 3), 'recheck.episodes', 200)];
    }
    case 'sweep':
      if (plain) return [command, ...words];
      return [command, ...set(set(size(words, 2), 'seed', '0,1'), 'recheck.episodes', 100)];
    case 'branch':
      return [command, ...capped('--repeat', 2, capped('--at', 2, words))];
    case 'eval':
      return [command, ...capped('--recheck', 100, capped('--episodes', 500, words))];
    case 'parity':
      return [command, ...words, '--max-seconds', '0.3', '--episodes', '64', '--transitions', '64'];
    default:
      return [command!, ...words];
  }
}

export interface RanCommand extends CommandResult {
  readonly args: readonly string[];
}

/** A finished run of the offline model, `trial`. */
async function finishedRun(): Promise<string> {
  const runs = mkdtempSync(join(tmpdir(), 'r2po-doc-runs-'));
  const place = ['--runs-dir', runs, '--name', 'trial', '--backend', 'cpu', '--quiet'];
  const { code, stderr } = await runCommand('run', 'cartpole/r2po', ...place, 'iterations=4', 'recheck.episodes=200');
  if (code !== 0) throw new Error(stderr);
  return join(runs, 'trial');
}

/** A working directory in which the blocks of a page are run one after the other. */
export class DocShell {
  readonly folder: string;
  static #run: string | null = null;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `hasRun`: whether there is `runs/trial`, the run of a reader who has read another page. */
  static async open(hasRun: boolean): Promise<DocShell> {
    const folder = mkdtempSync(join(tmpdir(), 'r2po-doc-shell-'));
    if (hasRun) {
      DocShell.#run ??= await finishedRun();
      cpSync(DocShell.#run, join(folder, 'runs', 'trial'), { recursive: true });
    }
    return new DocShell(folder);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** `left`: commands that are only read, because each takes seconds. */
  async run(
    text: string,
    left: readonly string[] = [],
  ): Promise<{ readonly commands: RanCommand[]; readonly stderr: string }> {
    const requests = mkdtempSync(join(tmpdir(), 'r2po-doc-requests-'));
    const child = spawn('bash', ['-c', `set -o pipefail\n${shellFunctions}\n${text}`], {
      cwd: this.folder,
      env: { ...process.env, REQUESTS: requests },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (part: string) => {
      stderr += part;
    });
    const closed = once(child, 'close');
    const commands: RanCommand[] = [];
    const home = process.cwd();
    process.chdir(this.folder);
    try {
      for await (const request of createInterface({ input: child.stdio[3] as Readable })) {
        const args = shortened(readFileSync(request, 'utf8').split('\0').slice(0, -1));
        const isLeft = left.includes(args[0]!);
        const result = isLeft ? { code: 0, stdout: '', stderr: '' } : await runCommand(...args);
        if (!isLeft) commands.push({ ...result, args });
        writeFileSync(`${request}.out`, result.stdout);
        (child.stdio[4] as Writable).write(`${result.code}\n`);
      }
      await closed;
    } finally {
      process.chdir(home);
      rmSync(requests, { recursive: true });
    }
    return { commands, stderr };
  }
}
