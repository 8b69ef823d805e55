/** How far a slider goes; the field beside it takes any number. */
import type { ConstantRange } from '../../../envs/env.ts';

export interface SliderRange {
  readonly min: number;
  readonly max: number;
  readonly step: number | 'any';
}

/** Of a physics constant: up to three times its value. */
export function constantSlider(value: number, range: ConstantRange): SliderRange {
  if (range === 'share') return { min: 0, max: 1, step: 'any' };
  if (range === 'whole') return { min: 1, max: Math.max(2, 3 * value), step: 1 };
  if (value > 0) return { min: range === 'positive' ? value / 10 : 0, max: 3 * value, step: 'any' };
  if (value < 0) return { min: 3 * value, max: range === 'any' ? -value : 0, step: 'any' };
  return { min: range === 'any' ? -1 : 0, max: 1, step: 'any' };
}

/** Of a parameter: wide enough for all of the policy, the same for each so that they can be compared. */
export function parameterSlider(params: readonly number[]): SliderRange {
  const largest = params.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const reach = largest <= 3 ? 6 : 2 * largest;
  return { min: -reach, max: reach, step: 'any' };
}
