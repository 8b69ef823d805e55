/** `r2po eval --vary`: a policy under changed constants of its environment. */
import { counted } from '../base/plain-number.ts';
import type { Env } from '../envs/env.ts';
import { combinationsOf, evaluateVariation, type VariedConstant } from '../evaluation/variation.ts';
import type { LoadedPolicy } from '../policies/policy-file.ts';
import { csvTable } from '../report/tables/table.ts';
import { variationDocument, variationRows, variationTable } from '../report/tables/variation.ts';
import type { Backend } from '../rollout/backend.ts';
import type { Io } from './io.ts';
import { writePicture, writeResult } from './picture-file.ts';
import { progressOf } from './progress.ts';

export interface VaryOptions {
  readonly episodes: number;
  readonly seed: number;
  readonly picture?: string;
  readonly csv?: string;
  readonly json?: boolean;
}

export interface VariedSubject extends LoadedPolicy {
  readonly backend: Backend;
  readonly env: Env;
  readonly varied: readonly VariedConstant[];
  readonly maxSteps: number | null;
  readonly signal: AbortSignal;
}

export async function varyAndReport(subject: VariedSubject, options: VaryOptions, io: Io): Promise<void> {
  const { env, policy, params, backend, source, varied, ...request } = subject;
  const { episodes, seed } = options;
  const count = combinationsOf(varied).length;
  const variation = await evaluateVariation({
    ...{ backend, env, policy, params, varied, episodes, seed },
    ...{ maxSteps: request.maxSteps, signal: request.signal },
    onProgress: progressOf(io, `${counted(count, 'combination')} x ${counted(episodes, 'episode')}`),
  });
  io.status(null);
  if (options.csv !== undefined) writeResult('--csv', options.csv, csvTable(variationRows(variation)), io);
  if (options.picture !== undefined) {
    const { variationSpec } = await import('../report/curves/variation-chart.ts');
    await writePicture(options.picture, variationSpec(env, variation, source), io);
  }
  const { steps, seconds } = variation;
  if (options.json) {
    io.printJson({
      ...{ env: env.id, env_options: env.options, policy: { kind: policy.kind, params: Array.from(params) } },
      ...{ backend: backend.id, adapter: backend.adapter, episodes, seed },
      ...variationDocument(env, variation),
      ...{ steps, wall_s: seconds, steps_per_s: steps / seconds },
    });
    return;
  }
  io.print(io.titledTable(variationTable(env, variation)));
  io.note(`played ${counted(steps, 'step')} in ${seconds.toFixed(2)} s on ${backend.adapter ?? backend.id}`);
}
