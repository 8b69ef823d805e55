#!/usr/bin/env node
/** The program `r2po`: its streams, its environment, its exit code. */
import { createIo, type Io } from './io.ts';
import { reportFailure, runProgram } from './program.ts';

/** Reads `.env` of the working directory; variables of the environment take precedence. */
function loadEnvFile(io: Io): void {
  try {
    process.loadEnvFile('.env');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') io.warn(`cannot read .env: ${message}`);
  }
}

/** Node treats a closed pipe as an error; for a command-line program it is the normal end of `| head`. */
function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  // A run continues when nobody reads its progress.
  process.stderr.on('error', () => {});
}

endQuietlyOnClosedPipe();
const io = createIo(process.stdout, process.stderr, process.env);
// Failures outside of the command's promise: in an event handler, or in a promise that is not awaited.
process.on('uncaughtException', (error) => process.exit(reportFailure(error, '', io)));
loadEnvFile(io);
process.exitCode = await runProgram(process.argv.slice(2), io);
