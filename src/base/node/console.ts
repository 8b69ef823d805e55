/** The console of modules of the user. */
import { Console } from 'node:console';

/** From here on `console.log` of this thread goes to stderr: stdout is for results, one JSON document where that is asked for. */
export function consoleToStderr(): void {
  globalThis.console = new Console(process.stderr);
}
