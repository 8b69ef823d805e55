/** A run whose method asks language models, as its driver sees it. */
import { R2poError } from '../../base/errors.ts';
import type { RunModels } from '../models/models.ts';
import { type LlmUnits, llmUnits, type OpenUnits } from '../resolve-units.ts';
import type { DriverRun } from './driver.ts';

export type LlmOpenUnits = LlmUnits & Pick<OpenUnits, 'backend'> & { readonly models: RunModels };

export interface LlmRun extends Omit<DriverRun, 'units'> {
  readonly units: LlmOpenUnits;
}

export function llmRun(run: DriverRun): LlmRun {
  const { backend, models } = run.units;
  if (models === null) throw new R2poError('run', 'expected models for a method that asks them, got none');
  return { ...run, units: { ...llmUnits(run.units), backend, models } };
}
