/** What `r2po verify` checks of a training beside its record: its settings, its best policy, and the model of that. */
import { join } from 'node:path';
import { R2poError } from '../base/errors.ts';
import { loadPolicy } from '../config/read-policy.ts';
import { configName, manifestName } from '../config/recorded.ts';
import { findEnv } from '../envs/registry.ts';
import { readModel } from '../interop/sb3/model.ts';
import { parseRunFile } from '../runs/folder/files.ts';
import type { Manifest } from '../runs/folder/manifest.ts';
import { firstDifference } from '../runs/journal/difference.ts';
import { type Check, type CheckName, differs, holds, notChecked } from '../runs/verify/check.ts';
import { playAgain } from '../runs/verify/played-again.ts';
import type { VerifyOptions } from '../runs/verify/verify.ts';
import { isBaseline, openBaseline } from './run-folder.ts';
import type { BaselineConfig } from './settings.ts';
import { bestModelPath } from './training-run.ts';

type CheckTraining = NonNullable<VerifyOptions['checkTraining']>;
type Training = Parameters<CheckTraining>[0];

/** What `check` throws for a file of the training is a difference. */
async function checked(name: CheckName, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    return differs(name, error.detail);
  }
}

function manifestCheck(
  { env, method, seed, config_hash }: Manifest,
  config: BaselineConfig,
  hash: string | null,
): Check {
  const expected = { env: config.env, method: config.method, seed: config.seed, config_hash: hash ?? config_hash };
  const difference = firstDifference(expected, { env, method, seed, config_hash });
  if (difference === null) return holds('manifest', `${manifestName} and ${configName} agree with the record`);
  const { path, expected: want, got } = difference;
  return differs('manifest', `${manifestName}: expected ${path} ${want}, as the training has it, got ${got}`);
}

/** Whether `best.json` is the policy of the model that was kept. */
async function bestCheck({ run: { folder, manifest }, record }: Training, config: BaselineConfig): Promise<Check> {
  if (record.totals.best === null) return notChecked('best', 'nothing was kept yet');
  // Until its end, a training has statistics of another time beside the model, and may be about to record a better one.
  if (manifest.status !== 'finished') return notChecked('best', 'the training is not finished');
  const written = parseRunFile(join(folder, 'best.json'), 'JSON', JSON.parse);
  const { document } = readModel(bestModelPath(folder), findEnv(config.env));
  const difference = firstDifference(JSON.parse(JSON.stringify(document)), written);
  if (difference === null) return holds('best', 'best.json is the policy of the kept model');
  const { path, expected, got } = difference;
  return differs('best', `best.json: expected ${path} ${expected}, as the kept model has it, got ${got}`);
}

async function playedCheck(
  { run: { folder, manifest }, record }: Training,
  config: BaselineConfig,
  { open, signal }: VerifyOptions,
): Promise<Check> {
  const { backend } = record.totals;
  if (backend === null || record.totals.best === null) return notChecked('played again', 'nothing was kept yet');
  if (manifest.status !== 'finished') return notChecked('played again', 'the training is not finished');
  const env = findEnv(config.env);
  const { policy, params } = await loadPolicy(folder, env);
  const opened = await open(backend);
  if ('reason' in opened) return notChecked('played again', opened.reason);
  const { max_steps: maxSteps, success_threshold: successThreshold } = config.evaluation;
  const units = { env, policy, settings: { maxSteps, successThreshold }, best: [...params] };
  return playAgain(record, units, opened, signal);
}

export const checkTraining: CheckTraining = async (training, options) => {
  const { run, record } = training;
  if (!isBaseline(run.manifest)) return [];
  let config: BaselineConfig;
  try {
    ({ config } = openBaseline(run.folder));
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    return [differs('manifest', error.detail)];
  }
  return [
    manifestCheck(run.manifest, config, record.configHash),
    await checked('best', () => bestCheck(training, config)),
    await checked('played again', () => playedCheck(training, config, options)),
  ];
};
