/**
 * What the MuJoCo models share: capsules, soft joint limits, and the Runge-Kutta step. Enough for small planar models
 * whose joints are slides and hinges; the twin of the limits is shaders/lib/joint-limit.wgsl.
 * Source: MuJoCo 3.14, documentation chapters "Computation" and "Modeling" (solver parameters).
 */
import type { Constant, Params } from './env.ts';

export interface Capsule {
  /** kg */
  readonly mass: number;
  /** kg m^2, about the long axis */
  readonly axialInertia: number;
  /** kg m^2, about an axis through the centre and across */
  readonly transverseInertia: number;
}

/** A solid cylinder of length `2 halfLength` [m] with a half ball at each end; `density` in kg/m^3, `radius` in m. */
export function capsule(density: number, radius: number, halfLength: number): Capsule {
  const area = Math.PI * radius * radius;
  const cylinder = density * area * 2 * halfLength;
  const caps = (density * area * radius * 4) / 3;
  const ball = (2 * radius * radius) / 5;
  return {
    mass: cylinder + caps,
    axialInertia: (cylinder * radius * radius) / 2 + caps * ball,
    transverseInertia:
      (cylinder * (3 * radius * radius + 4 * halfLength * halfLength)) / 12 +
      caps * (ball + halfLength * halfLength + (3 * radius * halfLength) / 4),
  };
}

const solverSource = 'MuJoCo 3.14 defaults of solref and solimp';

/** How soft a joint limit is. The power of the impedance curve, 2 by default, is built into the formulas. */
export const limitConstants = {
  limitTimeConstant: { value: 0.02, unit: 's', source: solverSource, allowed: 'positive' },
  limitDampingRatio: { value: 1, unit: '1', source: solverSource, allowed: 'positive' },
  impedanceLow: { value: 0.9, unit: '1', source: solverSource, allowed: 'share' },
  impedanceHigh: { value: 0.95, unit: '1', source: solverSource, allowed: 'share' },
  impedanceWidth: { value: 0.001, unit: 'm or rad', source: solverSource, allowed: 'positive' },
  impedanceMidpoint: { value: 0.5, unit: '1', source: solverSource, allowed: 'share' },
} as const satisfies Record<string, Constant>;

/** Damping [1/s] and stiffness [1/s^2] of the motion that a limit asks for. */
export function limitGains(c: {
  readonly timeStep: number;
  readonly limitTimeConstant: number;
  readonly limitDampingRatio: number;
  readonly impedanceHigh: number;
}): { readonly limitDamping: number; readonly limitStiffness: number } {
  // MuJoCo never lets a limit react within less than two time steps.
  const time = Math.max(c.limitTimeConstant, 2 * c.timeStep) * c.impedanceHigh;
  return { limitDamping: 2 / time, limitStiffness: 1 / (time * c.limitDampingRatio) ** 2 };
}

/** Diagonal of the inverse of [[a, b], [b, c]]. */
export function inverseDiagonal(a: number, b: number, c: number): { readonly first: number; readonly second: number } {
  const determinant = a * c - b * b;
  return { first: c / determinant, second: a / determinant };
}

export interface LimitParams {
  readonly limitDamping: number;
  readonly limitStiffness: number;
  readonly impedanceLow: number;
  readonly impedanceHigh: number;
  readonly impedanceWidth: number;
  readonly impedanceMidpoint: number;
}

/** One joint at its limit: what it demands of side * acceleration + softness * force >= reference. */
export interface LimitRow {
  /** 1 at the lower limit, -1 at the upper one, 0 away from both */
  side: number;
  reference: number;
  /** acceleration that the limit yields per unit of force */
  softness: number;
}

export function limitRow(): LimitRow {
  return { side: 0, reference: 0, softness: 0 };
}

/** Fills `row` for a joint at `position` with range [low, high]. `inverseWeight`: acceleration per force at position 0. */
export function fillLimitRow(
  row: LimitRow,
  p: LimitParams,
  position: number,
  velocity: number,
  low: number,
  high: number,
  margin: number,
  inverseWeight: number,
): void {
  const toLow = position - low;
  const toHigh = high - position;
  const side = toLow < margin ? 1 : toHigh < margin ? -1 : 0;
  row.side = side;
  if (side === 0) return;
  const gap = (side > 0 ? toLow : toHigh) - margin;
  const share = Math.min(-gap / p.impedanceWidth, 1);
  const middle = p.impedanceMidpoint;
  const rise = share <= middle ? (share * share) / middle : 1 - ((1 - share) * (1 - share)) / (1 - middle);
  const impedance = p.impedanceLow + (p.impedanceHigh - p.impedanceLow) * rise;
  row.softness = ((1 - impedance) / impedance) * inverseWeight;
  row.reference = -p.limitDamping * side * velocity - p.limitStiffness * impedance * gap;
}

/** The force of a limit on its joint, signed, when all others are eliminated: `mass` acceleration = `drive` + force. */
export function limitForce(row: LimitRow, mass: number, drive: number): number {
  if (row.side === 0) return 0;
  const force = (row.reference - (row.side * drive) / mass) / (1 / mass + row.softness);
  return row.side * Math.max(0, force);
}

export interface PairAcceleration {
  first: number;
  second: number;
}

/**
 * Accelerations of two coupled joints that may both be at a limit: [[a, b], [b, c]] acceleration = drive + forces. Of the
 * four patterns of pushing and idle limits exactly one fits.
 */
export function limitedPair(
  out: PairAcceleration,
  a: number,
  b: number,
  c: number,
  drive1: number,
  drive2: number,
  row1: LimitRow,
  row2: LimitRow,
): void {
  const determinant = a * c - b * b;
  const inverse11 = c / determinant;
  const inverse12 = -b / determinant;
  const inverse22 = a / determinant;
  const free1 = inverse11 * drive1 + inverse12 * drive2;
  const free2 = inverse12 * drive1 + inverse22 * drive2;
  out.first = free1;
  out.second = free2;
  if (row1.side === 0 && row2.side === 0) return;
  // What each limit misses without force, and how much of it a force takes away.
  const missing1 = row1.side === 0 ? 0 : row1.reference - row1.side * free1;
  const missing2 = row2.side === 0 ? 0 : row2.reference - row2.side * free2;
  const yield1 = inverse11 + row1.softness;
  const yield2 = inverse22 + row2.softness;
  const cross = row1.side * row2.side * inverse12;
  let force1 = Math.max(0, missing1 / yield1);
  let force2 = 0;
  if (missing2 - cross * force1 > 0) {
    force2 = missing2 / yield2;
    force1 = 0;
    if (missing1 - cross * force2 > 0) {
      const both = yield1 * yield2 - cross * cross;
      force1 = (missing1 * yield2 - cross * missing2) / both;
      force2 = (missing2 * yield1 - cross * missing1) / both;
    }
  }
  out.first += inverse11 * row1.side * force1 + inverse12 * row2.side * force2;
  out.second += inverse12 * row1.side * force1 + inverse22 * row2.side * force2;
}

/** Fills `acceleration [N]` for `stage [2 N]`, positions then velocities. */
export type Accelerate<P extends Params> = (
  params: P,
  stage: Float64Array,
  control: Float64Array,
  acceleration: Float64Array,
) => void;

export interface RungeKutta<P extends Params> {
  /** Advances the positions and velocities at the start of `state` by `timeStep` with `control` held. */
  advance(params: P, state: Float64Array, control: Float64Array): void;
  /** [2 N] where the last of the four accelerations was taken; MuJoCo shows derived quantities from there */
  readonly stage: Float64Array;
}

/** The classical method of fourth order for N joints, limits taken into account in each of the four stages. */
export function rungeKutta<P extends Params & { readonly timeStep: number }>(
  joints: number,
  accelerate: Accelerate<P>,
): RungeKutta<P> {
  const stage = new Float64Array(2 * joints);
  const acceleration = new Float64Array(joints);
  const sum = new Float64Array(2 * joints);
  return {
    stage,
    advance(params, state, control) {
      const { timeStep } = params;
      for (let i = 0; i < 2 * joints; i++) {
        stage[i] = state[i]!;
        sum[i] = 0;
      }
      for (let k = 0; k < 4; k++) {
        accelerate(params, stage, control, acceleration);
        const weight = k === 0 || k === 3 ? 1 : 2;
        for (let i = 0; i < joints; i++) {
          sum[i]! += weight * stage[joints + i]!;
          sum[joints + i]! += weight * acceleration[i]!;
        }
        if (k === 3) break;
        const ahead = k === 2 ? timeStep : timeStep / 2;
        for (let i = 0; i < joints; i++) {
          stage[i] = state[i]! + ahead * stage[joints + i]!;
          stage[joints + i] = state[joints + i]! + ahead * acceleration[i]!;
        }
      }
      for (let i = 0; i < 2 * joints; i++) state[i]! += (timeStep / 6) * sum[i]!;
    },
  };
}
