/** A run whose method asks language models, as its driver sees it. */
import { R2poError } from '../../base/errors.ts';
import type { RunModels } from '../models/models.ts';
import { type LlmUnits, llmUnits, type OpenUnits } from '../resolve-units.ts';
import { type DriverRun, unitsAt } from './driver.ts';

export type LlmOpenUnits = LlmUnits & Pick<OpenUnits, 'backend'> & { readonly models: RunModels };

export interface LlmRun extends Omit<DriverRun, 'units'> {
  readonly units: LlmOpenUnits;
}

export function llmRun(run: DriverRun): LlmRun {
  const { backend, models } = run.units;
  if (models === null) throw new R2poError('run', 'expected models for a method that asks them, got none');
  return { ...run, units: { ...llmUnits(run.units), backend, models } };
}

/**
 * The run with the units that an iteration is made with, where a branch shares it with another run, or the number of
 * iterations was changed before it.
 */
export function llmRunAt(run: LlmRun, iteration: number): LlmRun {
  const at = run.shared === undefined ? run : llmRun({ ...run, units: unitsAt(run, iteration) });
  const iterations = run.length?.iterationsOf(iteration) ?? null;
  if (iterations === null) return at;
  return { ...at, units: { ...at.units, settings: { ...at.units.settings, iterations } } };
}
