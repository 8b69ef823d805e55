/** The program `r2po`: its streams and its exit code. */
import { R2poError } from '../base/errors.ts';
import { faultRemedy, faultWords } from '../base/machine-fault.ts';
import { consoleToStderr } from '../base/node/console.ts';
import { closeConnections } from '../llm/providers/transport.ts';
import { createIo } from './io.ts';
import { reportFailure, runProgram } from './program.ts';

/** Node treats a closed pipe as an error; for a command-line program it is the normal end of `| head`. */
function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw new R2poError('stdout', `cannot write the result: ${faultWords(error)}${faultRemedy(error)}`, {
      cause: error,
    });
  });
  // A run continues when nobody reads its progress.
  process.stderr.on('error', () => {});
}

/** Runs the command line of this process. */
export async function start(): Promise<void> {
  endQuietlyOnClosedPipe();
  consoleToStderr();
  const io = createIo(process.stdout, process.stderr, process.env);
  // Failures outside of the command's promise: in an event handler, or in a promise that is not awaited.
  process.on('uncaughtException', (error) => process.exit(reportFailure(error, null, io)));
  process.exitCode = await runProgram(process.argv.slice(2), io);
  // A connection that is being made to a proxy outlives the request that was given up.
  closeConnections();
}
