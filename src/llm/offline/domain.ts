/** The allowed values of a parameter as evenly spaced or listed levels, and points that no trial has used. */
import { ModelError } from '../../base/errors.ts';
import type { Generator } from '../../base/rng/generator.ts';
import type { ReadDomain } from './read.ts';

/** A range without stated decimals is divided into this many steps, so that replies stay short. */
const stepsOfFreeRange = 10_000;

export interface Domain {
  /** the order of listed values is not used */
  readonly kind: ReadDomain['kind'];
  readonly low: number;
  readonly high: number;
  /** number of allowed values */
  readonly levels: number;
  /** distance between two neighbours; for listed values the smallest one */
  readonly spacing: number;
  value(level: number): number;
  /** the level whose value is nearest */
  level(value: number): number;
}

function evenDomain(low: number, high: number, decimals: number): Domain {
  const scale = 10 ** decimals;
  // The double nearest to the decimal number: both operands are exactly representable integers. Adding zero turns -0 into 0.
  // Compared as values, because low * scale may be off by a rounding error.
  const at = (whole: number) => whole / scale + 0;
  let first = Math.floor(low * scale);
  while (at(first) < low) first++;
  let last = Math.ceil(high * scale);
  while (at(last) > high) last--;
  if (last < first) {
    throw new ModelError(
      'offline',
      `expected a number with at most ${decimals} decimals from ${low} to ${high}, found none; widen the range or allow more decimals`,
    );
  }
  return {
    kind: 'range',
    low: at(first),
    high: at(last),
    levels: last - first + 1,
    spacing: 1 / scale,
    value: (level) => at(first + level),
    level: (x) => Math.min(last - first, Math.max(0, Math.round(x * scale) - first)),
  };
}

function listedDomain(listed: readonly number[]): Domain {
  const values = [...new Set(listed)].sort((a, b) => a - b);
  const gaps = values.slice(1).map((value, i) => value - values[i]!);
  return {
    kind: 'choice',
    low: values[0]!,
    high: values[values.length - 1]!,
    levels: values.length,
    spacing: Math.min(...gaps, Infinity),
    value: (level) => values[level]!,
    level: (x) => values.reduce((best, value, i) => (Math.abs(value - x) < Math.abs(values[best]! - x) ? i : best), 0),
  };
}

export function makeDomain(read: ReadDomain): Domain {
  if (read.kind === 'choice') return listedDomain(read.values);
  const { low, high } = read;
  const free = Math.ceil(Math.log10(stepsOfFreeRange / (high - low || 1)));
  // More digits than a double holds would give fractional levels.
  const digits = 15 - Math.ceil(Math.log10(Math.max(1, Math.abs(low), Math.abs(high))));
  return evenDomain(low, high, Math.max(0, Math.min(digits, read.decimals ?? free)));
}

/** The allowed point nearest to `point`. */
export function snap(domain: Domain, point: readonly number[]): number[] {
  return point.map((x) => domain.value(domain.level(x)));
}

export function randomPoint(domain: Domain, count: number, rng: Generator): number[] {
  return Array.from({ length: count }, () => domain.value(Math.floor(rng.random() * domain.levels)));
}

/**
 * `point` itself if unused, else an unused point near it. Levels are counted up from a random parameter like an
 * odometer, which finds an unused point within `used.length + 1` steps if one exists.
 */
export function unusedPoint(
  domain: Domain,
  point: readonly number[],
  used: readonly (readonly number[])[],
  rng: Generator,
): number[] {
  const key = (levels: readonly number[]) => levels.join();
  const taken = new Set(used.map((params) => key(params.map(domain.level))));
  const levels = point.map(domain.level);
  const first = rng.integers(0, levels.length);
  for (let step = 0; step <= taken.size && taken.has(key(levels)); step++) {
    for (let wheel = 0; wheel < levels.length; wheel++) {
      const i = (first + wheel) % levels.length;
      levels[i] = (levels[i]! + 1) % domain.levels;
      if (levels[i] !== 0) break;
    }
  }
  return levels.map(domain.value);
}

/** The exploration step from the prompt, else a twelfth of the range; at least one level. */
export function stepOf(domain: Domain, stated: number | null): number {
  return Math.max(domain.spacing, stated ?? (domain.high - domain.low) / 12);
}

/** Reflects a move beyond an end of the range; clipping would collect points in the corners of the box. */
function folded({ low, high }: Domain, x: number): number {
  if (x > high) return 2 * high - x;
  return x < low ? 2 * low - x : x;
}

/**
 * `point` with each parameter changed with probability `share`, at least one. A parameter moves by a normal draw of
 * standard deviation `size`, clipped to `limit`, or takes another listed value. The result may lie between levels.
 */
export function changed(
  domain: Domain,
  point: readonly number[],
  change: { readonly size: number; readonly share: number; readonly limit?: number },
  rng: Generator,
): number[] {
  const { size, share, limit = Infinity } = change;
  const always = rng.integers(0, point.length);
  return point.map((x, i) => {
    if (i !== always && rng.random() >= share) return x;
    if (domain.kind === 'choice') return domain.value(rng.integers(0, domain.levels));
    return folded(domain, x + Math.max(-limit, Math.min(limit, size * rng.standardNormal())));
  });
}
