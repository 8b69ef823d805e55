/** `r2po list envs|policies|methods|models`: what exists, with ids, sizes and settings. */
import type { Command } from 'commander';
import { UsageError, unknownName } from '../base/errors.ts';
import { shippedConfigs } from '../config/shipped.ts';
import { actionSize, observationSize, type Row } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import type { ModelKind } from '../llm/chat.ts';
import { ggufForm } from '../llm/local/name.ts';
import { presets, urlKeyVariable } from '../llm/providers/presets.ts';
import { methods } from '../methods/index.ts';
import { policyKinds } from '../policies/index.ts';
import { type Column, right } from '../report/tables/table.ts';
import type { Io } from './io.ts';
import { addOutputOptions } from './options.ts';

/** One listing: records for `--json`, and the same as rows of a table. */
interface Listing {
  readonly records: readonly object[];
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** JSON has no infinity: an open bound is null. */
function rowRecord({ name, meaning, unit, low, high }: Row) {
  return { name, meaning, unit, low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null };
}

function listEnvs(): Listing {
  const configs = shippedConfigs();
  const records = envs.map((env) => {
    const { observation, action } = env;
    return {
      id: env.id,
      folder: env.folder,
      ground_truth: env.groundTruth,
      // with their defaults; null where none can be set
      options: env.withOptions === null ? null : env.options,
      state: env.state.map(rowRecord),
      observation:
        observation.kind === 'vector'
          ? { kind: observation.kind, size: observationSize(observation), rows: observation.rows.map(rowRecord) }
          : { kind: observation.kind, n: observation.n, meaning: observation.meaning },
      action:
        action.kind === 'box'
          ? { kind: action.kind, size: actionSize(action), rows: action.rows.map(rowRecord) }
          : { kind: action.kind, n: action.meanings.length, meanings: action.meanings },
      constants: env.constants,
      time_limit: env.timeLimit,
      success_threshold: env.success.threshold,
      return_range: env.returnRange.map((value) => (Number.isFinite(value) ? value : null)),
      policies: policyKinds.filter((kind) => kind.accepts(env) === null).map((kind) => kind.id),
      configs: configs.filter((name) => name.startsWith(`${env.folder}/`)),
    };
  });
  const columns = [
    { title: 'id' },
    right('state'),
    { title: 'observation' },
    { title: 'action' },
    right('steps'),
    right('success at'),
    { title: 'policies' },
    { title: 'configs' },
  ];
  const rows = records.map((env) => [
    env.id,
    env.state.length,
    env.observation.kind === 'vector' ? `${env.observation.size} numbers` : `1 of ${env.observation.n}`,
    env.action.kind === 'box' ? `${env.action.size} numbers` : `1 of ${env.action.n}`,
    env.time_limit,
    env.success_threshold,
    env.policies.join(', '),
    env.configs.join(', '),
  ]);
  return { records, columns, rows };
}

function listPolicies(): Listing {
  const records = policyKinds.map((kind) => ({
    id: kind.id,
    title: kind.title,
    environments: envs
      .filter((env) => kind.accepts(env) === null)
      .map((env) => {
        const policy = kind.build(env, {});
        return { env: env.id, params: policy.paramCount, values: policy.values, options: policy.options };
      }),
  }));
  const columns = [
    { title: 'kind' },
    { title: 'env' },
    right('params'),
    { title: 'default options' },
    { title: 'what' },
  ];
  const rows = records.flatMap(({ id, title, environments }) =>
    environments.map(({ env, params, options }) => [id, env, params, JSON.stringify(options), title]),
  );
  return { records, columns, rows };
}

function listMethods(): Listing {
  const configs = shippedConfigs();
  const records = methods.map(({ id, title, about, stages, keep }) => ({
    id,
    title,
    about,
    stages,
    keep,
    configs: configs.filter((name) => name.endsWith(`/${id}`)),
  }));
  const columns = [{ title: 'id' }, { title: 'one iteration' }, { title: 'keeps' }, { title: 'what' }];
  const rows = records.flatMap(({ id, title, about, stages, keep }) => [
    [id, stages.join(', '), keep, title],
    ['', '', '', about],
  ]);
  return { records, columns, rows };
}

interface ModelRecord {
  /** what `--model` takes */
  readonly name: string;
  /** null: `auto` becomes one of the others */
  readonly kind: ModelKind | null;
  readonly endpoint: string | null;
  readonly key: { readonly variable: string; readonly required: boolean; readonly set: boolean } | null;
  readonly note: string;
}

function listModels(): Listing {
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

const listings: Readonly<Record<string, () => Listing>> = {
  envs: listEnvs,
  policies: listPolicies,
  methods: listMethods,
  models: listModels,
};

function readListing(text: string): () => Listing {
  const known = Object.keys(listings);
  if (!known.includes(text)) throw new UsageError('list', unknownName('listing', text, known));
  return listings[text];
}

export function define(command: Command, io: Io): void {
  addOutputOptions(command, io)
    .description('List what exists, with ids, sizes and settings. In --json an infinite bound is null.')
    .argument('<what>', Object.keys(listings).join(', '), readListing)
    .action((listing: () => Listing, options: { json?: boolean }) => {
      const { records, columns, rows } = listing();
      if (options.json) io.printJson(records);
      else io.print(io.table({ columns, rows }));
    });
}
