/** The description files of environments: `prompt.md` of their folder. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { R2poError } from '../../base/errors.ts';
import { besideCode } from '../../base/node/assets.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import { type DescriptionKind, fillDescription } from '../description.ts';
import type { Env } from '../env.ts';

const descriptionFiles: Readonly<Record<DescriptionKind, string>> = {
  full: 'prompt.md',
  reference: 'prompt-reference.md',
};

function descriptionFile(env: Env, kind: DescriptionKind): string {
  const name = descriptionFiles[kind];
  return env.module === null ? besideCode(`envs/${env.folder}/${name}`) : join(dirname(env.module), name);
}

/** The path of a description that does not exist; null: it exists. */
export function missingDescription(env: Env, kind: DescriptionKind): string | null {
  const file = descriptionFile(env, kind);
  return existsSync(file) ? null : file;
}

/** Cached: every prompt has the description, which does not change. */
const described = new WeakMap<Env, Map<DescriptionKind, string>>();

/** The environment in plain words: task, observation, actions, reward, how episodes start and end. */
export function describeEnvironment(env: Env, kind: DescriptionKind = 'full'): string {
  const known = described.get(env) ?? new Map<DescriptionKind, string>();
  described.set(env, known);
  const text = known.get(kind) ?? readDescription(env, kind);
  known.set(kind, text);
  return text;
}

function readDescription(env: Env, kind: DescriptionKind): string {
  const file = descriptionFile(env, kind);
  let template: string;
  try {
    template = readRegularText(file);
  } catch (cause) {
    throw new R2poError(env.id, `expected the description ${file}, found none; write it or build again`, { cause });
  }
  return fillDescription(template.trim(), env);
}
