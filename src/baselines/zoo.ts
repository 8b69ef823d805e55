/** Tuned hyperparameters of rl-baselines3-zoo: `zoo.json`, which names the source and its commit. */
import { readFileSync } from 'node:fs';
import { besideCode } from '../base/node/assets.ts';

export type Hyperparameters = Readonly<Record<string, unknown>>;

interface ZooFile {
  readonly source: string;
  readonly commit: string;
  readonly date: string;
  /** by algorithm, then by the id of an environment or `default`; `zoo_id`: the id there, if it is another one */
  readonly entries: Readonly<Record<string, Readonly<Record<string, Hyperparameters>>>>;
}

let loaded: ZooFile | null = null;

function zooFile(): ZooFile {
  loaded ??= JSON.parse(readFileSync(besideCode('baselines/zoo.json'), 'utf8')) as ZooFile;
  return loaded;
}

export interface ZooEntry {
  /** id of the environment there, or `default` */
  readonly id: string;
  /** `rl-baselines3-zoo 22e3ff2 (2026-04-23), Swimmer-v4` */
  readonly source: string;
  readonly values: Hyperparameters;
}

/** The entry of an environment, else the one for all others. `exact`: an entry of another version's id does not count. */
export function zooEntry(algorithm: string, envId: string, exact: boolean): ZooEntry {
  const { commit, date, entries } = zooFile();
  const of = entries[algorithm] ?? {};
  const own = of[envId];
  const isFound = own !== undefined && !(exact && own.zoo_id !== undefined);
  const { zoo_id, ...values } = (isFound ? own : of.default) ?? {};
  const id = isFound ? String(zoo_id ?? envId) : 'default';
  return { id, source: `rl-baselines3-zoo ${commit.slice(0, 7)} (${date}), ${id}`, values };
}
