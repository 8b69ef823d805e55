/** `r2po probe`: single transitions from given states, for comparing an environment with another implementation. */
import type { Command } from 'commander';
import { UsageError } from '../base/errors.ts';
import { parseJson } from '../base/json-text.ts';
import { readInput } from '../config/input.ts';
import { actionSize, type Env, type EnvOptions } from '../envs/env.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import type { ProbeInput, ProbeOutput } from '../rollout/job.ts';
import { withBackend } from './backend.ts';
import { envOption } from './env-option.ts';
import type { Io } from './io.ts';
import { adapterOption, addOutputOptions, backendOption, trustEnvOption } from './options.ts';

interface Options {
  readonly env?: string;
  readonly policy?: string;
  readonly envOption: EnvOptions;
  readonly in: string;
  readonly backend?: BackendChoice;
  readonly adapter?: string;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Plays one step from each given state. Input: [{ "state": [...], "action": [...] }, ...], plus "draws": [...] if a ' +
        'step draws random numbers: the numbers in the order in which the step uses them.',
    )
    .option('--env <id>', 'environment (see "r2po list envs"), or the path of an environment module')
    .addOption(envOption())
    .addOption(trustEnvOption())
    .option('--policy <source>', 'policy file or run folder whose environment is meant, with its options')
    .requiredOption('--in <file>', 'JSON file, or - for stdin')
    .addOption(backendOption().default('cpu'))
    .addOption(adapterOption());
  addOutputOptions(command, io).action(async (options: Options) => {
    const env = await probedEnv(options);
    const inputs = await readProbes(options.in, env);
    const choice = options.backend ?? 'cpu';
    const outputs = await withBackend(choice, options.adapter, io, (backend) => backend.probe(env, inputs));
    checkFinite(env, outputs);
    io.printJson(outputs);
  });
}

/** The environment of `--policy`, which the other options may repeat, or the one of `--env`. */
async function probedEnv(options: Options): Promise<Env> {
  const { policy } = options;
  const { envFor, openGiven, openPolicy } = await import('../runs/folder/policy-env.ts');
  const wanted = await openGiven(options);
  if (policy === undefined) return envFor(wanted, options.envOption, null, options.in);
  const { input, named } = await openPolicy(policy);
  return envFor(wanted, options.envOption, named, input.name);
}

/** JSON has no infinite number: it would say null. */
function checkFinite({ state, observation }: Env, outputs: readonly ProbeOutput[]): void {
  const observed = observation.kind === 'vector' ? observation.rows.map(({ name }) => name) : ['state'];
  const names = [...state.map(({ name }) => name), ...observed.map((name) => `observed ${name}`), 'reward'];
  outputs.forEach(({ state: next, obs, reward }, i) => {
    const numbers = [...next, ...obs, reward];
    const at = numbers.findIndex((value) => !Number.isFinite(value));
    if (at < 0) return;
    throw new UsageError(
      'probe',
      `expected finite numbers after the step of entry ${i}, got ${numbers[at]} as ${names[at]}; give smaller ones`,
    );
  });
}

const keys = ['state', 'action', 'draws'];

async function readProbes(source: string, env: Env): Promise<ProbeInput[]> {
  const input = await readInput('probe', source, 'a JSON file of states and actions');
  const document = parseJson('probe', input);
  const fail = (at: string, expected: string, got: unknown): never => {
    throw new UsageError(
      'probe',
      `${input.name}: expected ${expected} at ${at}, got ${JSON.stringify(got)?.slice(0, 60)}`,
    );
  };
  if (!Array.isArray(document)) return fail('the top', 'a list of { "state", "action" }', document);
  const vector = (value: unknown, at: string, size: number | null): readonly number[] => {
    const fits = Array.isArray(value) && (size === null || value.length === size);
    if (!fits || !value.every((v) => Number.isFinite(v))) {
      return fail(at, `a list of ${size === null ? '' : `${size} `}finite numbers`, value);
    }
    return value;
  };
  return document.map((item: unknown, i) => {
    if (typeof item !== 'object' || item === null) return fail(`[${i}]`, '{ "state": [...], "action": [...] }', item);
    const record = item as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      if (!keys.includes(key)) fail(`[${i}]`, `only the keys ${keys.map((k) => `"${k}"`).join(', ')}`, key);
    }
    return {
      state: vector(record.state, `[${i}].state`, env.state.length),
      action: vector(record.action, `[${i}].action`, actionSize(env.action)),
      ...(record.draws !== undefined && { draws: vector(record.draws, `[${i}].draws`, null) }),
    };
  });
}
