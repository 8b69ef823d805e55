/** Whether r2po understands a command line: command, options, arguments, and the names in them. Plays and asks nothing. */
import { existsSync } from 'node:fs';
import { definedCommand } from '../../scripts/command-reference.mjs';
import { resolveBaseline } from '../../src/baselines/settings.ts';
import { commands } from '../../src/cli/command.ts';
import { type ConfigFlags, openConfig, resolveConfig } from '../../src/config/resolve.ts';
import { llmSearchSchema } from '../../src/config/sections/llm-search.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { keyVariables } from '../../src/llm/providers/variables.ts';
import { analysisKinds } from '../../src/report/analyses/index.ts';
import { openModel } from '../../src/runs/models/open-model.ts';
import { expandSweep, splitArguments } from '../../src/sweep/expand.ts';
import { paperPlans } from '../../src/sweep/paper-plans.ts';
import { audience, expandTrainings, isTraining } from '../../src/sweep/trainings.ts';

type Options = Readonly<Record<string, unknown>>;
/** The words of a command without its options. */
type Words = readonly string[];

/** Every provider has a key, so that only a wrong name is refused. */
const keys = Object.fromEntries([
  ...keyVariables.map((name) => [name, 'a-key-of-the-tests']),
  ['AZURE_OPENAI_ENDPOINT', 'https://name.openai.azure.com'],
]);
const settings = { llm: llmSearchSchema.shape.llm.parse({}) };

async function checkModel(name: unknown): Promise<void> {
  if (typeof name !== 'string' || /^(gguf:|replay:|auto$)/.test(name)) return;
  await openModel(name, settings, () => {}, { env: keys });
}

/** A path may name a file that only the reader has. */
const isPath = (name: string): boolean =>
  /^[./~]|\.(ya?ml|js|ts)$/.test(name) || name.includes('$') || existsSync(name);

function checkEnv(name: unknown): void {
  for (const one of [name].flat()) if (typeof one === 'string' && !isPath(one)) findEnv(one);
}

const flagsOf = ({ env, seed, backend, model, maxCalls, maxTokens, maxTime, maxCost, maxEpisodes }: Options) =>
  ({ env, seed, backend, model, maxCalls, maxTokens, maxTime, maxCost, maxEpisodes }) as ConfigFlags;

/** The overrides of a run that somebody has: their keys are those of any search. */
async function checkOverrides(overrides: Words): Promise<void> {
  await (await openConfig('cartpole/r2po')).resolve(overrides, {}, () => {});
}

async function checkSweep(words: Words, options: Options): Promise<void> {
  if (words.length === 0 && (options.status || options.cancel)) return;
  const { configs, axes } = splitArguments(words);
  const trainings = configs.filter(isTraining);
  const searches = configs.filter((name) => !isTraining(name) && !isPath(name));
  const isMixed = trainings.length > 0 && searches.length > 0;
  const axesFor = (who: 'trainings' | 'searches') =>
    axes
      .filter((axis) => !isMixed || ['both', who].includes(audience(axis)))
      .map((axis) => (axis.key === 'seed' ? { ...axis, choices: axis.choices.slice(0, 1) } : axis));
  await expandTrainings(trainings, axesFor('trainings'), undefined, null);
  if (searches.length === 0) return;
  const { model, backend, ...rest } = flagsOf(options);
  const runs = expandSweep({
    configs: searches,
    axes: axesFor('searches'),
    flags: { model, backend, ...rest },
    shard: null,
  });
  for await (const _ of runs);
}

const checks: Readonly<Record<string, (words: Words, options: Options) => unknown>> = {
  async run([config, ...overrides], options) {
    if (options.resume && config!.startsWith('runs/')) return checkOverrides(overrides);
    if (isPath(config!)) return checkOverrides(overrides);
    await resolveConfig(config!, overrides, flagsOf(options));
  },
  sweep: checkSweep,
  baseline: ([name, ...overrides], options) => options.resume || resolveBaseline(name!, overrides),
  branch: ([, ...overrides]) => checkOverrides(overrides),
  reproduce([name, ...overrides]) {
    if (paperPlans.every(({ id }) => id !== name)) throw new Error(`no table of the paper is called ${name}`);
    return checkOverrides(overrides);
  },
  analyze([kind]) {
    if (analysisKinds.every(({ id }) => id !== kind)) throw new Error(`no analysis is called ${kind}`);
  },
  solve: ([env]) => checkEnv(env),
  parity: (words) => checkEnv(words),
  bench: (words) => checkEnv(words),
};

/** Throws what is wrong with `r2po ...words`. */
export async function checkCommand(words: Words): Promise<void> {
  const [name = '--help', ...rest] = words;
  if (['--help', '--version', '-V'].includes(name)) return;
  const entry = commands.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`r2po has no command ${name}`);
  if (rest.includes('--help')) return;
  const command = await definedCommand(entry);
  command.action(() => {});
  await command.parseAsync(rest, { from: 'user' });
  const options = command.opts<Options>();
  // The default of an import, "unknown", is the name of no model.
  if (command.getOptionValueSource('model') === 'cli') await checkModel(options.model);
  checkEnv(options.env);
  await checks[name]?.(command.args, options);
}
