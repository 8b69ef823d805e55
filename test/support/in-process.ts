/** Runs a command inside the test process, with the same program as the command line. */
import { createIo } from '../../src/cli/io.ts';
import { runProgram } from '../../src/cli/program.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `argv`: without `r2po`; the manifests of runs record it. */
export async function runCommand(...argv: string[]): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const before = process.argv;
  process.argv = [...before.slice(0, 2), ...argv];
  try {
    const code = await runProgram(argv, createIo(stream('stdout'), stream('stderr'), { NO_COLOR: '1' }));
    return { code, ...written };
  } finally {
    process.argv = before;
  }
}
