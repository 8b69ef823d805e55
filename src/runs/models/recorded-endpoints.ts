/**
 * Keys go to endpoints that the user names. A run folder or a job may come from somebody else: an endpoint that it names
 * by its URL, or a header that it fills from the environment, would hand a key to whoever wrote it.
 */
import { quotedArgument, singleQuoted } from '../../base/command-line.ts';
import { UsageError } from '../../base/errors.ts';
import type { ResolvedConfig } from '../../config/resolve.ts';
import { asksModels, type LlmConfig } from '../../config/schema.ts';
import { type Environment, urlKeyVariable } from '../../llm/providers/presets.ts';

interface NamedModel {
  readonly path: readonly string[];
  readonly name: string;
}

function namedModels({ model, llm }: Pick<LlmConfig, 'model' | 'llm'>): NamedModel[] {
  const critic = llm.critic.model === undefined ? [] : [{ path: ['llm', 'critic', 'model'], name: llm.critic.model }];
  const fallback = llm.fallback.map((name) => ({ path: ['llm', 'fallback'], name }));
  return [{ path: ['model'], name: model }, ...critic, ...fallback];
}

/** The base URL of a model that is named by it, in one spelling; null for other names. */
function endpointOf(name: string): string | null {
  const url = name.replace(/#.*$/s, '');
  return /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).href.replace(/\/+$/, '') : null;
}

/** Reads the URL of `--trust-endpoint`. Throws a usage error for anything else. */
export function trustedEndpoint(text: string): string {
  const endpoint = endpointOf(text);
  if (endpoint !== null) return endpoint;
  throw new UsageError('--trust-endpoint', `expected a URL like http://host:port/v1, got "${text}"`);
}

type Recorded = Pick<ResolvedConfig, 'config' | 'isRecorded'>;

/** The first endpoint of a record that would receive a key or a header, other than `trusted` ones. */
function exposed({ config, isRecorded }: Recorded, trusted: readonly string[], env: Environment): NamedModel | null {
  if (!asksModels(config)) return null;
  const sends = env[urlKeyVariable]?.trim() || Object.keys(config.llm.headers).length > 0;
  if (!sends) return null;
  const isForeign = ({ path, name }: NamedModel): boolean => {
    const endpoint = endpointOf(name);
    return endpoint !== null && !trusted.includes(endpoint) && isRecorded(path);
  };
  return namedModels(config).find(isForeign) ?? null;
}

const sent = `the key in ${urlKeyVariable} and the headers of llm.headers go only to endpoints that this command names`;

/** Throws a usage error where the configuration of a run folder decides what is sent to whom. */
export function refuseRecordedEndpoints(resolved: Recorded, env: Environment = process.env): void {
  const { config, isRecorded } = resolved;
  if (!asksModels(config)) return;
  const header = Object.keys(config.llm.headers).find((name) => isRecorded(['llm', 'headers', name]));
  if (header !== undefined) {
    throw new UsageError(
      `llm.headers.${header}`,
      'expected a header that this command or a configuration of your own names, got one out of a run folder, which ' +
        `sends a variable of the environment; add ${quotedArgument(`llm.headers.${header}`)}=${singleQuoted(config.llm.headers[header] ?? '')}`,
    );
  }
  const found = exposed(resolved, [], env);
  if (found === null) return;
  const { path, name } = found;
  const key = path.join('.');
  const value = path.at(-1) === 'fallback' ? JSON.stringify(config.llm.fallback) : name;
  throw new UsageError(
    key,
    `expected an endpoint that this command names, got "${name}" out of a run folder; ${sent}: add ` +
      `${key}=${singleQuoted(value)}, or unset ${urlKeyVariable}`,
  );
}

/** Why a worker does not run a job, whose endpoint would receive what this machine keeps secret; null: it does. */
export function exposedByJob(job: Recorded, trusted: readonly string[], env: Environment = process.env): string | null {
  const found = exposed(job, trusted, env);
  if (found === null) return null;
  const endpoint = endpointOf(found.name)!;
  return `the job names the endpoint ${endpoint}, and ${sent}; start the worker with --trust-endpoint ${quotedArgument(endpoint)}`;
}
