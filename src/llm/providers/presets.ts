/** Known providers: a name, where it is, which API it speaks, and where its key stands. */
import type { ControlName } from './controls.ts';
import type { EndpointModel } from './endpoint.ts';
import { ollamaBase } from './ollama.ts';
import { ollamaNative } from './ollama-native.ts';
import { openAiCompatible } from './openai-compatible.ts';
import type { EndpointOptions } from './protocol.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Preset {
  /** model names are `<id>/<model>` */
  readonly id: string;
  /** what follows the slash, for messages */
  readonly form: string;
  readonly baseURL: (env: Environment) => string;
  /** the client of its API */
  readonly open: (options: EndpointOptions) => EndpointModel;
  readonly keyVariable: string;
  readonly keyRequired: boolean;
  /** those of the controls that not every provider has */
  readonly controls: readonly ControlName[];
}

const fixed = (url: string) => () => url;

export const presets: readonly Preset[] = [
  {
    id: 'ollama',
    form: '<model>',
    baseURL: ollamaBase,
    open: ollamaNative,
    keyVariable: 'OLLAMA_API_KEY',
    keyRequired: false,
    controls: ['topP', 'stop', 'think', 'numCtx', 'keepAlive'],
  },
  {
    id: 'openai',
    form: '<model>',
    baseURL: fixed('https://api.openai.com/v1'),
    open: openAiCompatible,
    keyVariable: 'OPENAI_API_KEY',
    keyRequired: true,
    controls: ['topP', 'stop', 'reasoningEffort'],
  },
  {
    id: 'anthropic',
    form: '<model>',
    baseURL: fixed('https://api.anthropic.com/v1'),
    open: openAiCompatible,
    keyVariable: 'ANTHROPIC_API_KEY',
    keyRequired: true,
    controls: ['topP', 'stop'],
  },
  {
    id: 'gemini',
    form: '<model>',
    baseURL: fixed('https://generativelanguage.googleapis.com/v1beta/openai'),
    open: openAiCompatible,
    keyVariable: 'GEMINI_API_KEY',
    keyRequired: true,
    controls: ['topP', 'stop', 'reasoningEffort'],
  },
  {
    id: 'openrouter',
    form: '<vendor>/<model>',
    baseURL: fixed('https://openrouter.ai/api/v1'),
    open: openAiCompatible,
    keyVariable: 'OPENROUTER_API_KEY',
    keyRequired: true,
    controls: ['topP', 'stop', 'reasoningEffort'],
  },
];

/** Key of a server that is named by its URL. No provider's key is ever sent to such a server. */
export const urlKeyVariable = 'R2PO_API_KEY';
