/** Starts the scripted model server, and stops it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { assetPath } from '../../src/base/node/assets.ts';

/** `fault`: one of the names in the head of scripted-model-server.mjs. */
export interface ScriptedStep {
  readonly fault?: string;
  readonly text?: string;
  readonly delayMs?: number;
  readonly [parameter: string]: unknown;
}

export interface Script {
  /** the steps of each model, which count their own requests; `scripted-1` is there in any case, without faults */
  readonly models?: Readonly<Record<string, readonly ScriptedStep[]>>;
  /** starts over after the last step, which is repeated otherwise */
  readonly loop?: boolean;
  /** request parameters that are answered by status 400 */
  readonly refuse?: readonly string[];
  /** context of the loaded models, tokens */
  readonly context?: number;
}

export interface ScriptedState {
  /** chat requests so far, of all models and of each */
  readonly requests: number;
  readonly models: Readonly<Record<string, number>>;
  /** requests without an end yet */
  readonly open: number;
  /** connections, idle ones and that of the question included */
  readonly sockets: number;
  /** how often each fault was played; `none` for a plain answer */
  readonly faults: Readonly<Record<string, number>>;
}

export interface ScriptedServer {
  readonly url: string;
  /** base URL of the OpenAI API */
  readonly openai: string;
  /** base URL of Ollama's API */
  readonly ollama: string;
  state(): Promise<ScriptedState>;
  stop(): Promise<void>;
}

const program = assetPath('test/support/scripted-model-server.mjs');

/** Throws when the server does not start, with what it wrote. */
export async function startScriptedServer(script: Script = {}): Promise<ScriptedServer> {
  const child = spawn(process.execPath, [program, '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A server that fails at its start closes the pipe early; its exit says it better.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(script));
  const exit = once(child, 'close');
  const first = once(createInterface({ input: child.stdout }), 'line');
  const line = await Promise.race([first, exit.then(() => null)]);
  if (line === null) throw new Error(`the scripted server did not start: ${stderr}`);
  const urls = JSON.parse(String(line[0])) as { url: string; openai: string; ollama: string };
  return {
    ...urls,
    state: async () => (await (await fetch(`${urls.url}/state`)).json()) as ScriptedState,
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
    },
  };
}
