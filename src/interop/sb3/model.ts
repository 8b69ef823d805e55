/**
 * Models of Stable-Baselines3 and its contrib package (`.zip`) as policies: the network that acts without noise, with the
 * observation's normalisation folded into its first layer. Nothing of the model is run; `tensors.ts` reads its numbers.
 */
import { closeSync, existsSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { openRegular, readRegular } from '../../base/node/read-file.ts';
import { listFolder } from '../../base/node/walk.ts';
import type { ActionSpace, Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { foldIntoLayer } from '../../policies/network.ts';
import type { PolicyDocument } from '../../policies/policy-file.ts';
import { ZipArchive } from '../common/zip.ts';
import { cannotRead, Damaged } from '../reference/files.ts';
import { networkOf, type TrainedNetwork } from './model-network.ts';
import { type Normalisation, readNormalisation, readStateDict } from './tensors.ts';

/** Models with their replay buffers are much larger, and are saved apart from them. */
const maxModelBytes = 2 ** 28;

export interface TrainedPolicy {
  readonly env: Env;
  readonly document: PolicyDocument;
  readonly notes: readonly string[];
}

interface ModelData {
  readonly policy_class?: { readonly __module__?: unknown };
  readonly policy_kwargs?: Readonly<Record<string, unknown>>;
  readonly observation_space?: Readonly<Record<string, unknown>>;
  readonly action_space?: Readonly<Record<string, unknown>>;
  readonly use_sde?: unknown;
  readonly seed?: unknown;
}

/** Whether a path is a file that starts as zip archives do. */
export function isArchive(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const fd = openRegular(path);
  try {
    const head = Buffer.alloc(4);
    return readSync(fd, head, 0, 4, 0) === 4 && head.readUInt32LE() === 0x04034b50;
  } finally {
    closeSync(fd);
  }
}

/** Number of inputs and outputs of a space: entries of a box, or numbers; null for another space. */
function sizeOf(space: ModelData['action_space']): { readonly size: number; readonly discrete: boolean } | null {
  const type = String(space?.[':type:'] ?? '');
  if (/discrete\.Discrete'/.test(type)) return { size: Number(space?.n), discrete: true };
  const shape = space?._shape;
  if (/box\.Box'/.test(type) && Array.isArray(shape) && shape.length === 1)
    return { size: Number(shape[0]), discrete: false };
  return null;
}

const allowed = (action: ActionSpace & { kind: 'discrete' }): number[] =>
  action.meanings.map((_, i) => i).filter((i) => !action.againstRules?.includes(i));

/** Whether a network with these inputs and outputs acts in the environment. */
function fits({ observation, action }: Env, inputs: number, outputs: number, discrete: boolean): boolean {
  const seen = observation.kind === 'vector' ? observation.rows.length : observation.n;
  if (seen !== inputs || (action.kind === 'discrete') !== discrete) return false;
  return action.kind === 'discrete'
    ? [action.meanings.length, allowed(action).length].includes(outputs)
    : action.rows.length === outputs;
}

function refuse(path: string, expected: string, got: string): never {
  throw new UsageError('import', `${path}: expected ${expected}, got ${got}`);
}

/** What `read` returns; what it finds damaged, or cannot read, is said of this file. */
function readingOf<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof Damaged) return refuse(path, error.expected, error.found);
    return refuse(path, what, cannotRead(error));
  }
}

/**
 * Reads the policy of a model. `wanted`: its environment; null: the one of r2po that has the model's spaces. Throws a
 * usage error for a file that is no such model, or a policy that no kind of ours can be.
 */
export function readModel(path: string, wanted: Env | null): TrainedPolicy {
  return readingOf(path, 'a readable model of Stable-Baselines3', () =>
    policyOf(path, new ZipArchive(readRegular(path, maxModelBytes)), wanted),
  );
}

function policyOf(path: string, archive: ZipArchive, wanted: Env | null): TrainedPolicy {
  let data: ModelData;
  try {
    data = JSON.parse(archive.read('data').toString('utf8')) as ModelData;
  } catch (error) {
    if (error instanceof Damaged) throw error;
    throw new Damaged('a model of Stable-Baselines3', 'other data');
  }
  const module = String(data.policy_class?.__module__ ?? '');
  if (!/^(?:stable_baselines3|sb3_contrib)\./.test(module)) {
    throw new Damaged('a policy class of Stable-Baselines3', module === '' ? 'none' : `one of ${module.slice(0, 80)}`);
  }
  const network = networkOf(readStateDict(archive.read('policy.pth')), data);
  const notes: string[] = [];
  const env = environmentFor(path, network, data, wanted);
  const statistics = env.observation.kind === 'vector' ? statisticsFor(path, network.inputs, notes) : null;
  const policy =
    env.observation.kind === 'discrete' ? tableOf(network, env) : networkDocument(network, statistics, env);
  return { env, document: { env: env.id, env_options: env.options, ...policy }, notes };
}

function environmentFor(path: string, { inputs, outputs }: TrainedNetwork, data: ModelData, wanted: Env | null): Env {
  const [observed, acted] = [sizeOf(data.observation_space), sizeOf(data.action_space)];
  if (!observed || !acted) {
    throw new Damaged('spaces of vectors or numbers', 'other spaces; images and dictionaries are not read');
  }
  const spaces = `${inputs} inputs and ${outputs} ${acted.discrete ? 'numbered actions' : 'entries of the action'}`;
  const known = (wanted ? [wanted] : envs).filter(
    (env) => fits(env, inputs, outputs, acted.discrete) && (env.observation.kind === 'discrete') === observed.discrete,
  );
  if (wanted && known.length === 0) refuse(path, `a model for ${wanted.id}`, `one with ${spaces}`);
  if (known.length !== 1) {
    const named = known.length === 0 ? 'none of r2po' : known.map(({ id }) => id).join(' and ');
    refuse(path, 'the spaces of one environment of r2po, or --env', `${spaces}, which ${named} has`);
  }
  const [env] = known as [Env];
  const limits =
    env.action.kind === 'box' ? [...String(data.action_space?.high ?? '').matchAll(/-?[\d.]+/g)].map(Number) : [];
  if (env.action.kind === 'box' && limits.length === env.action.rows.length) {
    const ours = env.action.rows.map(({ high }) => high);
    const differ = ours.some((high, i) => Math.abs(high - limits[i]!) > 1e-6 * Math.max(1, Math.abs(high)));
    if (differ) refuse(path, `actions up to ${ours.join(', ')}, as ${env.id} has`, `up to ${limits.join(', ')}`);
  }
  return env;
}

/** The statistics beside a model, in the places where rl-zoo and SB3's documentation put them; null: none. */
function statisticsFor(path: string, inputs: number, notes: string[]): Normalisation | null {
  const folder = dirname(path);
  const stem = basename(path).replace(/\.zip$/i, '');
  const inside = listFolder(folder).folders.map((name) => join(folder, name, 'vecnormalize.pkl'));
  const places = [`${stem}.vecnormalize.pkl`, `${stem}_vecnormalize.pkl`, 'vecnormalize.pkl', 'vec_normalize.pkl'];
  const found = [...places.map((name) => join(folder, name)), ...inside].find((place) => existsSync(place));
  if (found === undefined) {
    notes.push('no vecnormalize.pkl beside it: taken for a model that sees plain observations');
    return null;
  }
  const statistics = readingOf(found, 'readable statistics of VecNormalize', () =>
    readNormalisation(readRegular(found, maxModelBytes)),
  );
  if (statistics && (statistics.mean.length !== inputs || statistics.deviation.length !== inputs)) {
    refuse(found, `statistics of ${inputs} entries of the observation`, String(statistics.mean.length));
  }
  notes.push(
    statistics ? `the normalisation of ${basename(found)} is folded in` : `${basename(found)} has rewards only`,
  );
  return statistics;
}

function networkDocument(network: TrainedNetwork, statistics: Normalisation | null, env: Env): PolicyDocument {
  const { layers } = network;
  const plain = Float64Array.from(layers.flatMap(({ weights, biases }) => [...weights, ...biases]));
  const hidden = layers.slice(0, -1).map(({ units }) => units);
  if (hidden.length === 0) {
    if (network.squashed || statistics) {
      throw new Damaged('a hidden layer', 'a linear policy with a squashed output or normalised observations');
    }
    return { kind: 'linear', params: [...plain] };
  }
  const folded = statistics && foldIntoLayer(plain, statistics.mean, statistics.deviation, hidden[0]!);
  const params = [...(folded ?? plain)];
  const options = {
    ...{ hidden, activation: network.activation },
    ...(network.squashed && env.action.kind === 'box' && { output: 'tanh' }),
    ...(network.limit !== null && { output_limit: network.limit }),
    ...(statistics && {
      input_low: statistics.mean.map((mean, i) => mean - statistics.clip * statistics.deviation[i]!),
      input_high: statistics.mean.map((mean, i) => mean + statistics.clip * statistics.deviation[i]!),
    }),
  };
  return { kind: 'mlp', params, options };
}

/** The action of highest score in each state, which the network sees as one input of many. */
function tableOf({ layers, activation, inputs }: TrainedNetwork, { action }: Env): PolicyDocument {
  if (action.kind !== 'discrete') throw new Damaged('numbered actions', 'a box of them');
  const choices = allowed(action);
  const params = Array.from({ length: inputs }, (_, state) => {
    let values = Float64Array.from({ length: inputs }, (_, i) => (i === state ? 1 : 0));
    for (const [l, { weights, biases, units }] of layers.entries()) {
      const next = Float64Array.from(biases);
      for (let k = 0; k < units; k++) {
        for (let i = 0; i < values.length; i++) next[k]! += values[i]! * weights[i * units + k]!;
        if (l < layers.length - 1) next[k] = activation === 'relu' ? Math.max(next[k]!, 0) : Math.tanh(next[k]!);
      }
      values = next;
    }
    const best = values.indexOf(values.reduce((a, b) => Math.max(a, b)));
    return values.length === choices.length ? choices[best]! : best;
  });
  return { kind: 'tabular', params };
}
