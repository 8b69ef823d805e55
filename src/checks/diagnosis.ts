/** What a difference between backends means, in words. */
import type { ParityReport, StepParity } from './parity.ts';

const numbers = (values: readonly number[]): string =>
  `[${values.map((value) => Number(value.toPrecision(9))).join(', ')}]`;

function situation({ state, action, draws }: NonNullable<StepParity['firstDifferentEnd']>): string {
  return `state ${numbers(state)}, action ${numbers(action)}${draws.length > 0 ? `, draws ${numbers(draws)}` : ''}`;
}

/** What differs, in one sentence with the state and the entry to look at. */
export function differenceOf({ reference, other, start, step, episodes }: ParityReport): string {
  if (start.first !== null) {
    const { seed, entry, expected, got } = start.first;
    return (
      `${start.different} of ${start.seeds} start states of ${other} differ from ${reference} in f32; the first with seed ` +
      `${seed}: ${entry} is ${got}, and ${Math.fround(expected)} on ${reference}`
    );
  }
  const { worst, firstDifferentEnd } = step;
  if (worst !== null && step.maxError > step.tolerance) {
    const { entry, expected, got } = worst;
    return (
      `${other} is out of tolerance: ${entry} is ${got}, and ${expected} on ${reference}, after one step from ` +
      `${situation(worst)}; error ${step.maxError.toExponential(2)}, tolerance ${step.tolerance}`
    );
  }
  if (firstDifferentEnd !== null) {
    return (
      `${step.terminatedDifferent} single steps end the episode on only one of ${reference} and ${other}; the first from ` +
      situation(firstDifferentEnd)
    );
  }
  const off = episodes.filter((e) => !e.ok).map((e) => `${e.policy}: p = ${e.p.toPrecision(2)}`);
  return `mean returns of ${other} differ from those of ${reference} over whole episodes (${off.join('; ')})`;
}

/**
 * Whether the shader or its driver is wrong, from the reports of one environment and policy kind; null: nothing is, or there
 * is only one backend that runs the shaders.
 */
export function culpritOf(reports: readonly ParityReport[]): string | null {
  const between = reports.find(({ reference }) => reports.some(({ other }) => other === reference));
  if (!between) return null;
  const { reference: written, other: driven } = between;
  const isRight = (backend: string) => reports.some((one) => one !== between && one.other === backend && one.ok);
  const [shadersAreRight, driverIsRight] = [isRight(written), isRight(driven)];
  if (shadersAreRight && driverIsRight && between.ok) return null;
  if (shadersAreRight)
    return `the shaders as they are written (${written}) agree: the driver of ${driven} computes something else`;
  if (between.ok) return `${written} and ${driven} agree with each other: the shaders differ from the float64 code`;
  return driverIsRight
    ? `only ${written} differs: its compiler, or the driver of ${driven} hides a mistake in the shaders`
    : `${written} and ${driven} differ from each other as well`;
}
