/** Policy files and the best policies of runs, read by the path that a command names. */
import { join } from 'node:path';
import { aText, checkArgument } from '../base/arguments.ts';
import type { InputText } from '../base/input-text.ts';
import { anEnv, type Env } from '../envs/env.ts';
import { type LoadedPolicy, parsePolicy } from '../policies/policy-file.ts';
import { kindOfPath, readInput } from './input.ts';

const unit = 'policy';

/** The text of a policy file, of a run folder (its `best.json`), or of `-` for stdin. Throws a `UsageError`. */
export async function readPolicy(source: string): Promise<InputText> {
  const isFolder = source !== '-' && kindOfPath(source) === 'folder';
  if (!isFolder) return readInput(unit, source, 'a policy file or a run folder');
  return readInput(unit, join(source, 'best.json'), 'the best policy of a run');
}

/**
 * The policy of `source`: a policy file, a run folder (its `best.json`), or `-` for stdin. Throws a `UsageError` when it
 * cannot be read, is not a policy, or does not fit the environment.
 */
export async function loadPolicy(source: string, env: Env): Promise<LoadedPolicy> {
  checkArgument('loadPolicy', 'source', source, aText);
  checkArgument('loadPolicy', 'env', env, anEnv);
  return parsePolicy(await readPolicy(source), env);
}
