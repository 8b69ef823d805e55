/** Resolves a model's name to the model. */
import { nearest, UsageError } from '../../base/errors.ts';
import type { ChatModel } from '../chat.ts';
import { noControls } from '../controls.ts';
import { type ControlSupport, headersOf, headerVariables, requireControls } from './controls.ts';
import { openAiCompatible, openAiControls } from './openai-compatible.ts';
import { type Environment, type Preset, presets, urlKeyVariable } from './presets.ts';
import type { ClientSettings } from './protocol.ts';
import { isLocal } from './transport.ts';
import { isFromFile } from './variables.ts';

export type { EndpointModel } from './endpoint.ts';
export { type AutoOptions, autoModel, isChosenByAuto, ollamaBase } from './ollama.ts';
export { openAiCompatible } from './openai-compatible.ts';
export { type Environment, type Preset, presets } from './presets.ts';
export type { ClientSettings } from './protocol.ts';

/** Providers that require a key, and its environment variable. */
export const modelKeyVariables: readonly { readonly provider: string; readonly variable: string }[] = presets
  .filter((preset) => preset.keyRequired)
  .map((preset) => ({ provider: preset.id, variable: preset.keyVariable }));

/** Makes a model without an endpoint. `argument`: what follows the colon in a name like `replay:runs/a`, else ''. */
export type ModelFactory = (argument: string) => ChatModel | Promise<ChatModel>;

export interface ResolveOptions {
  readonly env: Environment;
  readonly settings: ClientSettings;
  /**
   * Models of other layers by their form: a full name (`offline`), or a prefix with a placeholder (`replay:<run folder>`).
   */
  readonly extra: Readonly<Record<string, ModelFactory>>;
}

const urlForm = 'http(s)://host:port/v1#<model>';

const supportOf = ({ id, form, controls }: Preset): ControlSupport => ({ form: `${id}/${form}`, controls });
const urlSupport: ControlSupport = { form: urlForm, controls: openAiControls };

/** The user's headers. Throws a usage error for a control that `support` lacks, or a header without a value. */
function checkedControls(
  name: string,
  support: ControlSupport,
  { env, settings }: Pick<ResolveOptions, 'env' | 'settings'>,
): Record<string, string> {
  const controls = settings.controls ?? noControls;
  requireControls(name, support, [...presets.map(supportOf), urlSupport], controls);
  return headersOf(controls, env);
}

/** No model has such a name, whatever keys and servers there are. */
export class ModelNameError extends UsageError {}

/** The environment has no key for a provider. */
export class MissingKeyError extends UsageError {}

/** The forms of model names, for lists and messages. */
export function modelForms(extra: ResolveOptions['extra']): string[] {
  return [...Object.keys(extra), ...presets.map((preset) => `${preset.id}/${preset.form}`), urlForm];
}

/** Throws a usage error for an unknown form, a missing model name, and a missing key. */
export async function resolveModel(name: string, options: ResolveOptions): Promise<ChatModel> {
  for (const [form, make] of Object.entries(options.extra)) {
    const colon = form.indexOf(':');
    if (colon < 0 && name === form) return make('');
    if (colon >= 0 && name.startsWith(form.slice(0, colon + 1))) return make(requireRest(name, colon + 1, form));
  }
  if (/^https?:\/\//i.test(name)) return urlModel(name, options);
  const slash = name.indexOf('/');
  const preset = slash < 0 ? undefined : presets.find(({ id }) => id === name.slice(0, slash));
  if (preset !== undefined) return presetModel(name, preset, options);
  throw await unknownForm(name, options.extra);
}

function requireRest(name: string, from: number, form: string): string {
  const rest = name.slice(from).trim();
  if (rest === '') throw new ModelNameError('model', `expected ${form}, got "${name}"; add what is missing`);
  return rest;
}

function presetModel(name: string, preset: Preset, { env, settings }: ResolveOptions): ChatModel {
  const model = requireRest(name, preset.id.length + 1, `${preset.id}/${preset.form}`);
  const wanted = preset.form.split('/').length;
  if (model.split('/').filter((part) => part !== '').length < wanted) {
    throw new ModelNameError('model', `expected ${preset.id}/${preset.form}, got "${name}"; add what is missing`);
  }
  const apiKey = env[preset.keyVariable]?.trim() || null;
  if (apiKey === null && preset.keyRequired) {
    throw new MissingKeyError(
      `model ${name}`,
      `expected a key in ${preset.keyVariable}, got none; set it in the environment or in .env, or use --model offline`,
    );
  }
  const { keyVariable } = preset;
  const headers = checkedControls(name, supportOf(preset), { env, settings });
  const secrets = [
    ...(apiKey === null ? [] : [preset.keyVariable]),
    ...headerVariables(settings.controls ?? noControls),
  ];
  const baseURL = addressOf(name, preset, { env, settings, secrets });
  const options = { ...settings, headers, id: name, baseURL, apiKey, keyVariable, model };
  return preset.open(options, env);
}

const withoutFile = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !isFromFile(name)));

/** Custom addresses that were reported to the user as receiving a key. */
const reportedAddresses = new Set<string>();

/**
 * The base URL of a provider. A custom address that receives the key is reported once. `.env` may lie in somebody else's
 * folder, so an address in it gets only what stands in it too; `secrets`: the variables that are sent.
 */
function addressOf(
  name: string,
  preset: Preset,
  {
    env,
    settings: { log },
    secrets,
  }: Pick<ResolveOptions, 'env' | 'settings'> & { readonly secrets: readonly string[] },
): string {
  const { addressVariable: variable, keyRequired } = preset;
  const baseURL = preset.baseURL(env);
  if (baseURL === null) {
    const expected = `expected the address of the endpoint in ${variable}, got none`;
    throw new UsageError(`model ${name}`, `${expected}; set it in the environment or in .env`);
  }
  const own = preset.baseURL({});
  const kept = secrets.find((secret) => env[secret] !== undefined && !isFromFile(secret));
  if (kept !== undefined && preset.baseURL(withoutFile(env)) !== baseURL) {
    const problem = `expected ${variable} and ${kept} in the same place, got the address in .env and ${kept} in the environment`;
    throw new UsageError(`model ${name}`, `${problem}; set ${variable} in the environment too, or ${kept} in .env`);
  }
  if (own === null || own === baseURL || !keyRequired || reportedAddresses.has(baseURL)) return baseURL;
  reportedAddresses.add(baseURL);
  const isOpen = baseURL.startsWith('http:') && !isLocal(baseURL);
  log?.(`${name}: ${variable} sends requests and the key to ${baseURL}${isOpen ? ', unencrypted' : ''}`);
  return baseURL;
}

async function urlModel(name: string, { env, settings }: ResolveOptions): Promise<ChatModel> {
  const hash = name.indexOf('#');
  const expected = `expected ${urlForm}`;
  if (hash < 0) throw new ModelNameError('model', `${expected}, got "${name}"; add # and the model's name there`);
  const model = requireRest(name, hash + 1, urlForm);
  let url: URL;
  try {
    url = new URL(name.slice(0, hash));
  } catch {
    throw new ModelNameError('model', `${expected}, got "${name}"; correct the URL`);
  }
  // Names are written to journals and messages, so they must not contain secrets; this one is not quoted either.
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new ModelNameError('model', `${expected} without credentials and query; put the key into ${urlKeyVariable}`);
  }
  const apiKey = env[urlKeyVariable]?.trim() || null;
  const baseURL = name.slice(0, hash).replace(/\/+$/, '');
  const headers = checkedControls(name, urlSupport, { env, settings });
  const opened = openAiCompatible({
    ...settings,
    headers,
    id: name,
    baseURL,
    apiKey,
    keyVariable: urlKeyVariable,
    model,
  });
  await opened.ready();
  return opened;
}

async function unknownForm(name: string, extra: ResolveOptions['extra']): Promise<ModelNameError> {
  const near = await nearForm(name, extra);
  const guess = near === null ? ';' : `; did you mean "${near}"?`;
  return new ModelNameError('model', `unknown model "${name}"${guess} known forms: ${modelForms(extra).join(', ')}`);
}

async function nearForm(name: string, extra: ResolveOptions['extra']): Promise<string | null> {
  const slash = name.indexOf('/');
  const head = slash < 0 ? name : name.slice(0, slash);
  const colon = head.indexOf(':');
  const candidates = slash < 0 ? Object.keys(extra).filter((form) => !form.includes(':')) : presets.map(({ id }) => id);
  const near = nearest(colon < 0 ? head : head.slice(0, colon), candidates);
  if (near !== null) return `${near}${slash < 0 ? '' : name.slice(slash)}`;
  if (slash >= 0) return null;
  // Other programs write `openai:gpt-5`; a name and a tag are those of Ollama.
  if (presets.some(({ id }) => id === name.slice(0, colon))) return name.replace(':', '/');
  if (/^[\w.-]+:[\w.-]+$/.test(name)) return `ollama/${name}`;
  const { findProvider } = await import('@pydantic/genai-prices');
  const vendor = findProvider({ modelId: name })?.id;
  const preset = vendor === undefined ? undefined : presets.find(({ priceList }) => priceList === vendor);
  return preset ? `${preset.id}/${name}` : null;
}
