/** The outcome of an episode as programs write it: the bits of its return, then its steps and above them its end cause. */
import { endCauses } from '../../job.ts';

export const outcomeBytes = 8;
const causeShift = 30;
const stepMask = 2 ** causeShift - 1;

/** Steps and end cause, from the second word of an outcome. */
export const stepsIn = (word: number): number => word & stepMask;
export const causeIn = (word: number): number => word >>> causeShift;

/** The same layout as WGSL constants. */
export function outcomeDeclarations(): string {
  return [
    `const CAUSE_SHIFT: u32 = ${causeShift}u;`,
    `const STEP_MASK: u32 = ${stepMask}u;`,
    ...endCauses.map((cause, code) => `const END_${cause.toUpperCase()}: u32 = ${code}u;`),
  ].join('\n');
}
