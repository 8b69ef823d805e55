/** `r2po view`: a local page over run folders. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { interruption } from '../base/async.ts';
import { quotedCommand } from '../base/command-line.ts';
import { counted } from '../base/plain-number.ts';
import type { ExportOptions } from '../view/server/write-export.ts';
import { listenForInterrupts, withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { addOutputOptions, refuseBeside, wholeNumber } from './options.ts';

interface Options {
  readonly port: number;
  readonly host: string;
  readonly allowRemote?: boolean;
  readonly export?: string;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Opens a page over run folders, live and finished ones: curves, prompts, parameters, episodes. The page is served on ' +
        'this machine alone and sends nothing anywhere; with --export it is written as files that open without a server.',
    )
    .argument('[runs]', 'run folder, or folder of run folders', 'runs')
    .option('--port <n>', 'port to listen on; 0: any free one', wholeNumber('--port', 0, 65_535), 7420)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--allow-remote',
      'let other machines reach --host; the page then asks for the token in the printed address',
    )
    .option('--export <dir>', 'write the page with its data into this folder, which opens from disk, and end');
  addOutputOptions(command, io).action(async (runs: string, options: Options, self: Command) => {
    if (options.export !== undefined) {
      refuseBeside(self, '--export', (flag) => ['--port', '--host', '--allow-remote'].includes(flag));
    }
    await run(runs, options, io);
  });
}

async function run(runs: string, options: Options, io: Io): Promise<void> {
  const { accessFor } = await import('../view/server/access.ts');
  const { RunRoot } = await import('../view/server/run-root.ts');
  const { pageFiles } = await import('../view/server/page-files.ts');
  const { notSearched } = await import('../runs/folder/find-runs.ts');
  const access = accessFor(options.host, options.allowRemote ?? false);
  const root = new RunRoot(runs);
  const page = pageFiles();
  const { folders, deeper } = root.find();
  if (deeper > 0) io.warn(`"${root.path}" ${notSearched(deeper)}`);
  if (options.export !== undefined) {
    await writeFiles(options.export, { root, page }, options, io);
    return;
  }
  const { createViewApp } = await import('../view/server/app.ts');
  const { Evaluator } = await import('../view/server/evaluator.ts');
  const { listen } = await import('../view/server/serve.ts');
  const interrupts = listenForInterrupts(io, 'the page', 'and its connections');
  const { signal } = interrupts;
  const evaluator = new Evaluator();
  try {
    const app = createViewApp({ root, access, page, note: (text) => io.note(text), signal, evaluator });
    const listening = await listen(app, options.host, options.port);
    const url = addressOf(options.host, listening.port, access.token);
    if (options.json)
      io.printJson({ url, port: listening.port, host: options.host, runs: root.path, token: access.token });
    else io.print(url);
    if (folders.length === 0 && deeper === 0) {
      io.note(
        `no run in "${root.path}" yet: start one with "${quotedCommand(['run', 'cartpole/r2po', '--runs-dir', root.path])}", and it appears here`,
      );
    }
    io.note('press Ctrl-C to end');
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await listening.close();
    throw interruption(signal);
  } finally {
    await evaluator.close();
    interrupts.dispose();
  }
}

type Shown = Pick<ExportOptions, 'root' | 'page'>;

async function writeFiles(folder: string, shown: Shown, { json }: Options, io: Io): Promise<void> {
  const { writeExport } = await import('../view/server/write-export.ts');
  const written = await withInterrupts(io, 'the export', (signal) =>
    writeExport({ ...shown, folder, signal, note: (text) => io.note(text), warn: (text) => io.warn(text) }),
  );
  if (json) io.printJson(written);
  else io.print(`${counted(written.runs, 'run')} in ${join(folder, 'index.html')}: open it in a browser`);
}

/** `http://127.0.0.1:PORT`, with the token where there is one. */
function addressOf(host: string, port: number, token: string | null): string {
  // An address that stands for all of them is none that can be opened.
  if (host === '0.0.0.0' || host === '::') return addressOf(hostname(), port, token);
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `http://${name}:${port}${token === null ? '' : `/?token=${token}`}`;
}
