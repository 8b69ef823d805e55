/** Known providers: name, address, API and the key's environment variable. */

import { anthropic } from './anthropic.ts';
import { azure } from './azure.ts';
import { baseUrlOf, type Environment } from './base-url.ts';
import type { ControlName } from './controls.ts';
import type { EndpointModel } from './endpoint.ts';
import { gemini } from './gemini.ts';
import { ollamaBase } from './ollama.ts';
import { ollamaControls, ollamaNative } from './ollama-native.ts';
import { openAi } from './openai.ts';
import { openRouter } from './openrouter.ts';
import type { EndpointOptions } from './protocol.ts';
import type { AddressVariable, KeyVariable } from './variables.ts';

export type { Environment } from './base-url.ts';

export interface Preset {
  /** prefix of model names: `<id>/<model>` */
  readonly id: string;
  /** placeholder for what follows the slash, for messages */
  readonly form: string;
  /** null: no default address, and `addressVariable` is not set */
  readonly baseURL: (env: Environment) => string | null;
  /** environment variable of a custom address, or of the only one; null: none */
  readonly addressVariable: AddressVariable | null;
  /** opens a model of its API */
  readonly open: (options: EndpointOptions, env: Environment) => EndpointModel;
  readonly keyVariable: KeyVariable;
  readonly keyRequired: boolean;
  /** the provider's name in the price list; null: the model name alone does not determine the price */
  readonly priceList: string | null;
  /** supported controls, of those that not every provider supports */
  readonly controls: readonly ControlName[];
}

const fixed = (url: string) => () => url;
const openAiURL = 'https://api.openai.com/v1';

export const presets: readonly Preset[] = [
  {
    id: 'ollama',
    form: '<model>',
    baseURL: ollamaBase,
    addressVariable: 'OLLAMA_BASE_URL',
    open: ollamaNative,
    keyVariable: 'OLLAMA_API_KEY',
    priceList: null,
    keyRequired: false,
    controls: ollamaControls,
  },
  {
    id: 'openai',
    form: '<model>',
    baseURL: (env) => baseUrlOf(env, 'OPENAI_BASE_URL') ?? openAiURL,
    addressVariable: 'OPENAI_BASE_URL',
    open: openAi,
    keyVariable: 'OPENAI_API_KEY',
    priceList: 'openai',
    keyRequired: true,
    controls: ['topP', 'stop', 'reasoningEffort'],
  },
  {
    id: 'anthropic',
    form: '<model>',
    baseURL: fixed('https://api.anthropic.com/v1'),
    addressVariable: null,
    open: anthropic,
    keyVariable: 'ANTHROPIC_API_KEY',
    priceList: 'anthropic',
    keyRequired: true,
    controls: ['topP', 'stop', 'think', 'reasoningEffort'],
  },
  {
    id: 'gemini',
    form: '<model>',
    baseURL: fixed('https://generativelanguage.googleapis.com/v1beta'),
    addressVariable: null,
    open: gemini,
    keyVariable: 'GEMINI_API_KEY',
    priceList: 'google',
    keyRequired: true,
    controls: ['topP', 'stop', 'think', 'reasoningEffort'],
  },
  {
    id: 'openrouter',
    form: '<vendor>/<model>',
    baseURL: fixed('https://openrouter.ai/api/v1'),
    addressVariable: null,
    open: openRouter,
    keyVariable: 'OPENROUTER_API_KEY',
    priceList: 'openrouter',
    keyRequired: true,
    controls: ['topP', 'stop', 'think', 'reasoningEffort'],
  },
  {
    id: 'azure',
    form: '<deployment>',
    baseURL: (env) => baseUrlOf(env, 'AZURE_OPENAI_ENDPOINT'),
    addressVariable: 'AZURE_OPENAI_ENDPOINT',
    open: azure,
    keyVariable: 'AZURE_OPENAI_API_KEY',
    priceList: null,
    keyRequired: true,
    controls: ['topP', 'stop', 'reasoningEffort'],
  },
];

/** Key of servers named by URL. They never receive a provider's key. */
export const urlKeyVariable: KeyVariable = 'R2PO_API_KEY';
