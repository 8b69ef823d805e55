/** `r2po list models` */
import type { ModelKind } from '../../llm/chat.ts';
import { ggufForm } from '../../llm/local/name.ts';
import { presets, urlKeyVariable } from '../../llm/providers/presets.ts';
import type { Listing } from './listing.ts';

interface ModelRecord {
  /** what `--model` takes */
  readonly name: string;
  /** null: `auto` becomes one of the others */
  readonly kind: ModelKind | null;
  readonly endpoint: string | null;
  readonly key: { readonly variable: string; readonly required: boolean; readonly set: boolean } | null;
  readonly note: string;
}

export function listModels(): Listing {
  const { env } = process;
  const isSet = (variable: string) => Boolean(env[variable]?.trim());
  const records: ModelRecord[] = [
    {
      name: 'offline',
      kind: 'offline',
      endpoint: null,
      key: null,
      note: 'the default; a numeric optimiser, not a language model',
    },
    {
      name: 'auto',
      kind: null,
      endpoint: null,
      key: null,
      note: 'Ollama on this machine if it has the model, else offline',
    },
    ...presets.map(({ id, form, baseURL, addressVariable, keyVariable, keyRequired }): ModelRecord => {
      const key = { variable: keyVariable, required: keyRequired, set: isSet(keyVariable) };
      const endpoint = baseURL(env);
      const note = endpoint === null ? `its address stands in ${addressVariable}, which is not set` : '';
      return { name: `${id}/${form}`, kind: 'model', endpoint, key, note };
    }),
    {
      name: 'http(s)://host:port/v1#<model>',
      kind: 'model',
      endpoint: null,
      key: { variable: urlKeyVariable, required: false, set: isSet(urlKeyVariable) },
      note: 'any server that speaks the OpenAI chat API',
    },
    {
      name: ggufForm,
      kind: 'model',
      endpoint: null,
      key: null,
      note: 'a model file in this process, without a server; needs the package node-llama-cpp',
    },
    { name: 'replay:<run folder>', kind: 'replay', endpoint: null, key: null, note: 'the recorded replies of a run' },
  ];
  const columns = [{ title: 'name' }, { title: 'kind' }, { title: 'endpoint' }, { title: 'key' }, { title: 'note' }];
  const rows = records.map(({ name, kind, endpoint, key, note }) => {
    const state = key && (key.set ? 'set' : key.required ? 'not set' : 'not set, optional');
    return [name, kind, endpoint, key && `${key.variable} (${state})`, note];
  });
  return { records, columns, rows };
}
