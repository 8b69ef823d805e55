/**
 * The reference's print of a policy with fixed random weights (`parameters.txt`): a title, the settings as `key=value`,
 * and the values.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from './files.ts';
import { parametersName } from './layout.ts';
import { readKeys, readNumber } from './text.ts';

const projectedTitle = 'Projected MLP policy';
const featuresTitle = 'Frozen random-feature policy';

/** A policy kind and those of its options that the print contains. */
export interface PrintedPolicy {
  readonly kind: string;
  readonly options: Readonly<Record<string, number | readonly number[]>>;
}

/** Null: a policy without random weights, or another text. */
function readPrintedPolicy(text: string): PrintedPolicy | null {
  const title = text.slice(0, text.indexOf('\n'));
  if (title !== projectedTitle && title !== featuresTitle) return null;
  const keys = readKeys(text);
  const range = /^\[(.*),(.*)\]$/.exec(keys.get('latent_param_range') ?? keys.get('param_range') ?? '');
  const latent = ['latent_dim_layer1', 'latent_dim_layer2'].map((key) => readNumber(keys.get(key) ?? ''));
  const numbers: [string, string | undefined][] = [
    ['seed', keys.get('projection_seed')],
    ['hidden', keys.get('hidden_dim')],
    ['low', range?.[1]],
    ['high', range?.[2]],
    ['scale', keys.get('decoded_weight_scale')],
    ['obs_scale', keys.get('obs_scale')],
    ['output_gain', keys.get('output_gain')],
  ];
  const options = Object.fromEntries(
    numbers.flatMap(([key, value]) => {
      const read = readNumber(value ?? '');
      return read === null ? [] : [[key, read] as const];
    }),
  );
  const both = latent.every((size) => size !== null) ? { latent: latent as number[] } : {};
  return { kind: title === projectedTitle ? 'projected-mlp' : 'random-features', options: { ...options, ...both } };
}

/** The policy that the first readable print among `episodes` shows; null: none with random weights. */
export async function findPrintedPolicy(folder: string, episodes: readonly number[]): Promise<PrintedPolicy | null> {
  for (const episode of episodes.slice(0, 5)) {
    const path = join(folder, `episode_${episode}`, parametersName);
    if (!existsSync(path)) continue;
    const read = await readText(path, createHash('sha256'));
    if ('text' in read) return readPrintedPolicy(read.text);
  }
  return null;
}
