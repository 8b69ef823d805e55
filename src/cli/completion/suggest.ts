/**
 * What a word of a command line may be, for completion in shells. It reads a table that is made beforehand, and folders:
 * a shell asks at each press of a key, so nothing else is loaded.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What stands in a place of a command line. */
export type ValueKind =
  | 'configs'
  | 'keys'
  /** keys of a configuration or of a training, with several values each */
  | 'swept keys'
  | 'trainings'
  | 'training keys'
  | 'envs'
  | 'runs'
  | 'files'
  | 'folders'
  | 'models'
  | 'none';

export interface Suggestion {
  readonly value: string;
  readonly about: string;
}

export interface OptionEntry {
  /** `-j` and `--jobs` */
  readonly flags: readonly string[];
  readonly about: string;
  /** null: it takes no value */
  readonly value: { readonly kinds: readonly ValueKind[]; readonly choices: readonly string[] } | null;
}

export interface ArgumentEntry {
  readonly kinds: readonly ValueKind[];
  readonly choices: readonly string[];
  readonly variadic: boolean;
  /** left out: it may stand behind any word */
  readonly behind?: string;
}

export interface CommandCompletions {
  readonly name: string;
  readonly about: string;
  readonly options: readonly OptionEntry[];
  readonly arguments: readonly ArgumentEntry[];
}

/** A key of the configuration; `values`: all of them, where they are few. */
export interface KeyEntry extends Suggestion {
  readonly values: readonly string[];
}

/** Everything that does not depend on the folder. */
export interface CompletionTable {
  readonly commands: readonly CommandCompletions[];
  readonly configs: readonly string[];
  readonly envs: readonly string[];
  readonly models: readonly string[];
  readonly keys: readonly KeyEntry[];
  /** `cartpole/ppo`, `cartpole/sb3/ppo` */
  readonly trainings: readonly string[];
  readonly trainingKeys: readonly KeyEntry[];
}

/** A folder of a hundred thousand runs is no list to choose from. */
const maxEntries = 1000;
/** Shells expand what they are given: a name with other characters, such as `$(command)`, is not suggested. */
const safeValue = /^[\p{L}\p{M}\p{N}_./:=@%+,~#-]+$/u;

const plain = (values: readonly string[]): Suggestion[] => values.map((value) => ({ value, about: '' }));

/** Entries of the folder that the word has begun to name; folders end with a slash. */
function entries(word: string, kind: 'files' | 'folders' | 'runs'): Suggestion[] {
  const parent = word.slice(0, word.lastIndexOf('/') + 1);
  const begun = word.slice(parent.length);
  const isFolder = (name: string) =>
    statSync(join(parent || '.', name), { throwIfNoEntry: false })?.isDirectory() ?? false;
  try {
    const names = readdirSync(parent || '.').filter(
      (name) => name.startsWith(begun) && (begun !== '' || name[0] !== '.'),
    );
    return names.slice(0, maxEntries).flatMap((name) => {
      const path = `${parent}${name}`;
      if (!isFolder(name)) return kind === 'files' ? [{ value: path, about: '' }] : [];
      if (kind === 'runs' && existsSync(join(path, 'run.json'))) return [{ value: path, about: 'a run' }];
      return name === 'node_modules' && kind === 'runs' ? [] : [{ value: `${path}/`, about: '' }];
    });
  } catch {
    return [];
  }
}

/** Names with a slash are offered in two steps: the part before it, then the whole. */
function inSteps(names: readonly string[], word: string): Suggestion[] {
  if (word.includes('/')) return plain(names);
  return plain([...new Set(names.map((name) => name.replace(/\/.*/, '/')))]);
}

function keySuggestions(keys: readonly KeyEntry[], word: string): Suggestion[] {
  const [name] = word.split('=', 1);
  if (!word.includes('=')) return keys.map(({ value, about }) => ({ value: `${value}=`, about }));
  const values = keys.filter(({ value }) => value === name).flatMap((key) => key.values);
  return plain(values.map((value) => `${name}=${value}`));
}

/** The same behind the last comma, without the values before it. */
function sweptSuggestions(keys: readonly KeyEntry[], word: string): Suggestion[] {
  const given = word.slice(word.indexOf('=') + 1, word.lastIndexOf(',') + 1);
  if (!word.includes('=') || given === '') return keySuggestions(keys, word);
  const [name] = word.split('=', 1);
  const others = keySuggestions(keys, `${name}=`).map(({ value }) => value.slice(name!.length + 1));
  const taken = given.split(',');
  return plain(others.filter((value) => !taken.includes(value)).map((value) => `${name}=${given}${value}`));
}

function valuesOf(kind: ValueKind, table: CompletionTable, word: string): Suggestion[] {
  switch (kind) {
    case 'configs':
      return [...inSteps(table.configs, word), ...entries(word, 'files')];
    case 'envs':
      return [...plain(table.envs), ...entries(word, 'files')];
    case 'models':
      return plain(table.models);
    case 'keys':
      return keySuggestions(table.keys, word);
    case 'swept keys':
      return sweptSuggestions([...table.keys, ...table.trainingKeys], word);
    case 'trainings':
      return inSteps(table.trainings, word);
    case 'training keys':
      return keySuggestions(table.trainingKeys, word);
    case 'none':
      return [];
    default:
      return entries(word, kind);
  }
}

type Place = Pick<ArgumentEntry, 'kinds' | 'choices'>;

const suggestionsAt = ({ kinds, choices }: Place, table: CompletionTable, word: string): Suggestion[] => [
  ...plain(choices),
  ...kinds.flatMap((kind) => valuesOf(kind, table, word)),
];

const optionOf = ({ options }: CommandCompletions, flag: string | undefined): OptionEntry | null =>
  options.find(({ flags }) => flag !== undefined && flags.includes(flag)) ?? null;

/** The argument that the last of these words is; null: the command takes no more. */
function argumentAt(command: CommandCompletions, before: readonly string[]): ArgumentEntry | null {
  const isValue = (i: number): boolean => (optionOf(command, before[i - 1])?.value ?? null) !== null;
  const values = before.filter((word, i) => !word.startsWith('-') && !isValue(i));
  const last = command.arguments.at(-1);
  const found = command.arguments[values.length] ?? (last?.variadic ? last : null);
  return found?.behind === undefined || found.behind === values.at(-1) ? found : null;
}

/** The option of `--option=begun`, and what a suggestion continues; the option is empty for any other word. */
function partsOf(word: string): [flag: string, begun: string] {
  const [, flag = '', begun = word] = /^(--[a-z-]+)=(.*)$/.exec(word) ?? [];
  return [flag, begun];
}

function suggestionsFor(table: CompletionTable, words: readonly string[], word: string): Suggestion[] {
  const [name, ...before] = words;
  if (name === undefined || (name === 'help' && before.length === 0)) {
    return table.commands.map((command) => ({ value: command.name, about: command.about }));
  }
  const command = table.commands.find((one) => one.name === name);
  if (command === undefined) return [];
  const taking = optionOf(command, before.at(-1));
  if (taking?.value) return suggestionsAt(taking.value, table, word);
  const [flag, begun] = partsOf(word);
  if (flag !== '') {
    const value = optionOf(command, flag)?.value;
    return value ? suggestionsAt(value, table, begun) : [];
  }
  if (word.startsWith('-')) {
    return command.options.flatMap(({ flags, about }) => flags.map((value) => ({ value, about })));
  }
  const argument = argumentAt(command, before);
  return argument === null ? [] : suggestionsAt(argument, table, word);
}

/**
 * Suggestions for the last word, in their order, each once. `words`: behind the name of the program; the last may be empty. Those
 * for `--option=value` are values, as the scripts put the option before them.
 */
export function suggest(table: CompletionTable, words: readonly string[]): Suggestion[] {
  const word = words.at(-1) ?? '';
  const [, begun] = partsOf(word);
  const found = new Map<string, Suggestion>();
  for (const one of suggestionsFor(table, words.slice(0, -1), word)) {
    if (one.value.startsWith(begun) && safeValue.test(one.value) && !found.has(one.value)) found.set(one.value, one);
  }
  return [...found.values()];
}

/** No blank behind the word; no files in place of the suggestions. They are those of Cobra, which the scripts know. */
const directives = { noSpace: 2, noFiles: 4 };

/** The answer to a shell: `value <tab> description` lines, and a last one that says how to go on. */
export function suggestionText(suggestions: readonly Suggestion[]): string {
  const isOpen = suggestions.length > 0 && suggestions.every(({ value }) => /[=/]$/.test(value));
  const lines = suggestions.map(({ value, about }) => `${value}\t${about.replace(/\s+/g, ' ')}`);
  return [...lines, `:${directives.noFiles + (isOpen ? directives.noSpace : 0)}`].join('\n');
}
