/** `r2po list models` */
import type { ModelKind } from '../../llm/chat.ts';
import { ggufForm } from '../../llm/local/name.ts';
import { presets, urlKeyVariable } from '../../llm/providers/presets.ts';
import { left, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

interface ModelRecord {
  /** value of `--model` */
  readonly name: string;
  /** null for `auto`, which becomes one of the others */
  readonly kind: ModelKind | null;
  readonly endpoint: string | null;
  readonly key: { readonly variable: string; readonly required: boolean; readonly set: boolean } | null;
  readonly note: string;
}

const own = { offline: 'offline', auto: 'auto', replay: 'replay:<run folder>' } as const;

/** The forms of names, except that of servers by their URL. */
export const modelForms: readonly string[] = [
  own.offline,
  own.auto,
  ...presets.map(({ id, form }) => `${id}/${form}`),
  ggufForm,
  own.replay,
];

export function listModels(): Listing {
  const { env } = process;
  const isSet = (variable: string) => Boolean(env[variable]?.trim());
  const bare = { kind: 'model', endpoint: null, key: null } as const;
  const records: ModelRecord[] = [
    { name: own.offline, ...bare, kind: 'offline', note: 'the default; a numeric optimiser, not a language model' },
    { name: own.auto, ...bare, kind: null, note: 'Ollama on this machine if it has the model, else offline' },
    ...presets.map(({ id, form, baseURL, addressVariable, keyVariable, keyRequired }): ModelRecord => {
      const key = { variable: keyVariable, required: keyRequired, set: isSet(keyVariable) };
      const endpoint = baseURL(env);
      const note = endpoint === null ? `set its address in ${addressVariable}` : '';
      return { name: `${id}/${form}`, kind: 'model', endpoint, key, note };
    }),
    {
      name: 'http(s)://host:port/v1#<model>',
      ...bare,
      key: { variable: urlKeyVariable, required: false, set: isSet(urlKeyVariable) },
      note: 'any server that speaks the OpenAI chat API',
    },
    {
      name: ggufForm,
      ...bare,
      note: 'a model file in this process, without a server; needs the package node-llama-cpp',
    },
    { name: own.replay, ...bare, kind: 'replay', note: 'the recorded replies of a run' },
  ];
  const table = tableOf(records, {
    columns: [
      left('name', ({ name }) => name),
      left('kind', ({ kind }) => kind),
      left('endpoint', ({ endpoint }) => endpoint),
      left(
        'key',
        ({ key }) => key && `${key.variable} (${key.set ? 'set' : key.required ? 'not set' : 'not set, optional'})`,
      ),
      left('note', ({ note }) => note),
    ],
  });
  return { records, table };
}
