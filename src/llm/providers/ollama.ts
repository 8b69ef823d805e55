/** Where Ollama is, and the model `auto`: Ollama on this machine when it has the wanted model, else another model. */
import { UsageError } from '../../base/errors.ts';
import type { ChatModel } from '../chat.ts';
import { objectOf } from './failure.ts';
import { isLoopback, modelFetch } from './transport.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Model that `auto` looks for when OLLAMA_MODEL does not name one. */
export const defaultOllamaModel = 'gpt-oss:20b';

const defaultPort = 11434;
/** Long enough for a server on this machine, short enough to wait for when there is none, ms. */
const probeTimeout = 300;

/**
 * Base URL of Ollama's own API, without a slash at the end: OLLAMA_BASE_URL, else OLLAMA_HOST, else the default address.
 * OLLAMA_HOST is read as Ollama reads it: `host`, `host:port`, `:port` or a URL; port 11434 when there is neither a
 * scheme nor a port. The address of a server that listens everywhere (0.0.0.0, ::) is reached by loopback.
 * Throws a usage error for what is no address.
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
  // URL drops a port that is the scheme's own, so ":80" must be looked for in the text.
  if (!hasScheme && !/:\d+(?:\/|$)/.test(text)) url.port = String(defaultPort);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '');
}

export interface AutoOptions {
  readonly env: Environment;
  /** makes the model for a name like `ollama/gpt-oss:20b` */
  readonly ollama: (name: string) => ChatModel | Promise<ChatModel>;
  /** makes the model that is used when Ollama cannot be */
  readonly otherwise: () => ChatModel | Promise<ChatModel>;
  readonly fetch?: typeof fetch;
  /** told which model was taken, and why */
  readonly log?: (line: string) => void;
}

/**
 * Never takes a paid endpoint: not another machine's Ollama, and not a model that Ollama passes on to a cloud.
 * OLLAMA_MODEL names the wanted model.
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

async function whyNotOllama(base: string, wanted: string, get: typeof fetch): Promise<string | null> {
  if (!isLoopback(base)) return `Ollama at ${base} is not on this machine`;
  if (/[:-]cloud$/.test(wanted)) return `"${wanted}" runs in a cloud`;
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
