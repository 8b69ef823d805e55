/** The table of completions, from the commands and the schema of the configuration. Loads every command. */
import { type Argument, Command, type Option } from 'commander';
import { algorithms } from '../../baselines/algorithms.ts';
import { baselineJsonSchema, sources } from '../../baselines/settings.ts';
import { configJsonSchema } from '../../config/json-schema.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import { envs } from '../../envs/index.ts';
import { methods } from '../../methods/index.ts';
import { backendChoices } from '../../rollout/backend.ts';
import { commands } from '../command.ts';
import { createIo } from '../io.ts';
import { modelForms } from '../listings/models.ts';
import type {
  ArgumentEntry,
  CommandCompletions,
  CompletionTable,
  KeyEntry,
  OptionEntry,
  ValueKind,
} from './suggest.ts';

/** What stands for a value in the help, and what it is. */
const kindsByName: Readonly<Record<string, readonly ValueKind[]>> = {
  config: ['configs', 'runs', 'keys'],
  overrides: ['keys'],
  run: ['runs'],
  runs: ['runs'],
  env: ['envs'],
  id: ['envs'],
  dir: ['folders'],
  file: ['files'],
  path: ['files'],
  source: ['files'],
};

/** Those of some commands, by their names and that of the argument. */
const ownArguments: Readonly<Record<string, Partial<ArgumentEntry>>> = {
  'sweep config': { kinds: ['configs', 'trainings', 'runs', 'swept keys'] },
  'baseline training': { kinds: ['trainings', 'runs'] },
  'baseline overrides': { kinds: ['training keys'] },
  'list name': { kinds: ['envs'], behind: 'envs' },
};

/** Names of models up to what the user fills in. */
const models = modelForms.map((form) => form.replace(/<.*$/, ''));

/** The choices of an argument: a list of words is its whole description. */
const wordList = /^[a-z0-9-]+(?:, [a-z0-9-]+)+$/;

function argumentEntry(argument: Argument, command: string): ArgumentEntry {
  const { description, variadic } = argument;
  const choices = argument.argChoices ?? (wordList.test(description) ? description.split(', ') : []);
  const kinds = choices.length > 0 ? [] : (kindsByName[argument.name()] ?? ['none']);
  return { kinds, choices, variadic, ...ownArguments[`${command} ${argument.name()}`] };
}

const valueName = (flags: string): string => /[<[]([a-z]+)/.exec(flags)?.[1] ?? '';

function optionEntry(option: Option): OptionEntry {
  const { short, long, description: about, required, optional, argChoices } = option;
  const flags = [short, long].filter((flag) => flag !== undefined);
  if (!required && !optional) return { flags, about, value: null };
  const own: Readonly<Record<string, Partial<ArgumentEntry>>> = {
    '--backend': { choices: backendChoices },
    '--model': { kinds: ['models'] },
    '--method': { choices: methods.map(({ id }) => id) },
  };
  const { kinds = kindsByName[valueName(option.flags)] ?? ['none'], choices = argChoices ?? [] } =
    own[long ?? ''] ?? {};
  return { flags, about, value: { kinds: choices.length > 0 ? [] : kinds, choices } };
}

async function commandEntry({ name, summary, load }: (typeof commands)[number]): Promise<CommandCompletions> {
  const command = new Command(name);
  (await load()).define(command, createIo(process.stdout, process.stderr, {}));
  const options = [...command.options.map(optionEntry), { flags: ['--help'], about: 'show the help', value: null }];
  return {
    name,
    about: summary,
    options,
    arguments: command.registeredArguments.map((argument) => argumentEntry(argument, name)),
  };
}

interface JsonSchema {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

function valuesOf({ type, enum: listed = [], anyOf = [] }: JsonSchema): string[] {
  if (type === 'boolean') return ['true', 'false'];
  if (type === 'null') return ['null'];
  return [...listed.map(String), ...anyOf.flatMap(valuesOf)];
}

/** The keys below a section, without those of files. */
function keysIn(schema: JsonSchema, path: string): KeyEntry[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const value = path === '' ? name : `${path}.${name}`;
    if (inner.properties) return keysIn(inner, value);
    if (['extends', 'published'].includes(value)) return [];
    return [{ value, about: inner.description ?? '', values: value === 'model' ? models : valuesOf(inner) }];
  });
}

/** An environment with each algorithm that fits it, by default and with each source of its settings. */
const trainings = (): string[] =>
  envs.flatMap(({ folder, action }) =>
    algorithms
      .filter(({ actions }) => actions.includes(action.kind))
      .flatMap(({ id }) => [`${folder}/${id}`, ...sources.map((source) => `${folder}/${source}/${id}`)]),
  );

export async function completionTable(): Promise<CompletionTable> {
  return {
    commands: await Promise.all(commands.map(commandEntry)),
    configs: shippedConfigs(),
    envs: envs.map(({ id }) => id),
    models,
    keys: keysIn(configJsonSchema() as JsonSchema, ''),
    trainings: trainings(),
    trainingKeys: keysIn(baselineJsonSchema() as JsonSchema, ''),
  };
}
