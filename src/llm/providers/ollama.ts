/** Ollama's address, and the model `auto`: Ollama on this machine if it has the requested model, else another model. */
import { UsageError } from '../../base/errors.ts';
import type { ChatModel } from '../chat.ts';
import { objectOf } from './failure.ts';
import { isLoopback, loadLibrary, modelFetch } from './transport.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Model of `auto` when OLLAMA_MODEL is not set. */
const defaultOllamaModel = 'gpt-oss:20b';

const defaultPort = 11434;
/** Timeout for finding a local server, ms. */
const probeTimeout = 300;

/**
 * Base URL of Ollama's own API, without a trailing slash: OLLAMA_BASE_URL, else OLLAMA_HOST, else the default address.
 * OLLAMA_HOST is read as Ollama reads it: `host`, `host:port`, `:port` or a URL; port 11434 when there is neither a
 * scheme nor a port. A server that listens on all interfaces (0.0.0.0, ::) is reached by loopback. Throws a usage error
 * for an invalid address.
 */
export function ollamaBase(env: Environment): string {
  const variable = env.OLLAMA_BASE_URL?.trim() ? 'OLLAMA_BASE_URL' : 'OLLAMA_HOST';
  const text = env[variable]?.trim() || `127.0.0.1:${defaultPort}`;
  const hasScheme = /^https?:\/\//i.test(text);
  const address = hasScheme ? text : `http://${text.replace(/^(?=:)/, '127.0.0.1')}`;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    const advice = `set it to an address like http://127.0.0.1:${defaultPort}`;
    throw new UsageError('ollama', `expected a URL or host:port in ${variable}, got "${text}"; ${advice}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('ollama', `expected no credentials in ${variable}; set OLLAMA_API_KEY instead`);
  }
  // URL drops a scheme's default port, so ":80" must be searched for in the text.
  if (!hasScheme && !/:\d+(?:\/|$)/.test(text)) url.port = String(defaultPort);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** Whether `auto` may have become the model of this name: one of Ollama, or the one of `otherwise`. */
export const isChosenByAuto = (name: string, otherwise: string): boolean =>
  name.startsWith('ollama/') || name === otherwise;

export interface AutoOptions {
  readonly env: Environment;
  /** opens a model by a name like `ollama/gpt-oss:20b` */
  readonly ollama: (name: string) => ChatModel | Promise<ChatModel>;
  /** opens the model to use when Ollama is not available */
  readonly otherwise: () => ChatModel | Promise<ChatModel>;
  readonly fetch?: typeof fetch;
  /** receives which model was chosen, and why */
  readonly log?: (line: string) => void;
}

/**
 * Never chooses a paid endpoint: neither another machine's Ollama nor a model that Ollama forwards to a cloud.
 * OLLAMA_MODEL names the requested model.
 */
export async function autoModel(options: AutoOptions): Promise<ChatModel> {
  const { env, log } = options;
  const base = ollamaBase(env);
  const wanted = env.OLLAMA_MODEL?.trim() || defaultOllamaModel;
  const problem = await whyNotOllama(base, wanted, options.fetch ?? modelFetch);
  const model = await (problem === null ? options.ollama(`ollama/${wanted}`) : options.otherwise());
  log?.(`auto: ${problem ?? `Ollama at ${base} has "${wanted}"`}; using ${model.id}`);
  return model;
}

/** Whether Ollama forwards the requests for a model to a cloud. */
export const isCloudModel = (model: string): boolean => /[:-]cloud$/.test(model);

async function whyNotOllama(base: string, wanted: string, get: typeof fetch): Promise<string | null> {
  if (!isLoopback(base)) return `Ollama at ${base} is not on this machine`;
  if (isCloudModel(wanted)) return `"${wanted}" runs in a cloud`;
  // Its loading does not count as the server's time.
  await loadLibrary();
  let body: unknown;
  try {
    const response = await get(`${base}/api/tags`, { signal: AbortSignal.timeout(probeTimeout) });
    if (!response.ok) return `Ollama at ${base} answers HTTP ${response.status}`;
    body = await response.json();
  } catch {
    return `no Ollama answers at ${base}`;
  }
  const models = objectOf(body).models;
  const names = (Array.isArray(models) ? models : []).map((entry) => objectOf(entry).name);
  const full = wanted.includes(':') ? wanted : `${wanted}:latest`;
  return names.includes(full) ? null : `Ollama at ${base} has no model "${wanted}"`;
}
