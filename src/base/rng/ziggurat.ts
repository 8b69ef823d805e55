/**
 * Tables of NumPy's 256-layer ziggurat for the normal distribution, rebuilt bit for bit.
 *
 * Layers of equal area under e^(-x^2/2) (Marsaglia and Tsang, 2000). NumPy 2.4 ships the tables as printed numbers.
 * They are what plain double arithmetic gives, layer by layer from the tail inwards, with correctly rounded exp and log;
 * the recursion amplifies a last-bit difference to 70 units in the innermost layers, so `Math.exp` and `Math.log`,
 * which may be off by a unit, cannot be used. Measured against NumPy 2.4.6: all 768 entries are equal.
 */

export interface ZigguratTables {
  /** where the tail starts; the right edge of the outermost layer */
  readonly tailStart: number;
  /** [256] width of a layer per unit of a 52-bit magnitude */
  readonly layerWidth: Float64Array;
  /** [256] magnitudes below this lie under the curve for certain */
  readonly innerCount: Float64Array;
  /** [256] e^(-x^2/2) at the right edge of a layer */
  readonly density: Float64Array;
}

const LAYERS = 256;
const MAGNITUDES = 2 ** 52;
const TAIL_START = 3.6541528853610088;
/**
 * Area of every layer, tail included: R e^(-R^2/2) + sqrt(pi/2) erfc(R/sqrt(2)). This is the double that NumPy's table
 * implies, four units below the nearest one.
 */
const LAYER_AREA = 0.004928673233974652;
/**
 * In this layer the exact exponential lies within 0.2 % of a unit of the middle between two doubles, and the exponential
 * that NumPy's table was made with fell to the wrong side: one unit too high.
 */
const ROUNDED_UP_LAYER = 38;

let tables: ZigguratTables | undefined;

/** The tables; built on first use (a few milliseconds). */
export function zigguratTables(): ZigguratTables {
  tables ??= build();
  return tables;
}

function build(): ZigguratTables {
  const layerWidth = new Float64Array(LAYERS);
  const innerCount = new Float64Array(LAYERS);
  const density = new Float64Array(LAYERS);
  const last = LAYERS - 1;
  let edge = TAIL_START;
  layerWidth[last] = edge / MAGNITUDES;
  density[last] = expRounded(-0.5 * edge * edge);
  // Layer 0 is the base strip with the tail folded into a rectangle of the same area.
  layerWidth[0] = LAYER_AREA / density[last] / MAGNITUDES;
  density[0] = 1;
  innerCount[0] = roundHalfEven(((edge * density[last]) / LAYER_AREA) * MAGNITUDES);
  for (let layer = last - 1; layer >= 1; layer--) {
    const inner = Math.sqrt(-2 * logRounded(LAYER_AREA / edge + density[layer + 1]!));
    innerCount[layer + 1] = roundHalfEven((inner / edge) * MAGNITUDES);
    layerWidth[layer] = inner / MAGNITUDES;
    density[layer] = expRounded(-0.5 * inner * inner);
    if (layer === ROUNDED_UP_LAYER) density[layer]! += 2 ** -53;
    edge = inner;
  }
  // The innermost layer has no part that lies under the curve for its whole height.
  innerCount[1] = 0;
  return { tailStart: TAIL_START, layerWidth, innerCount, density };
}

/** For 2^51 <= value < 2^52: the sum has no fraction bits left, so that the addition itself rounds to nearest even. */
function roundHalfEven(value: number): number {
  return value + MAGNITUDES - MAGNITUDES;
}

// Fixed point with 160 fraction bits: far more than it takes to decide how a double is rounded.
const FRACTION_BITS = 160n;
const ONE = 1n << FRACTION_BITS;

/** Exact for 2^-47 <= |value| < 2^20. */
function toFixed(value: number): bigint {
  return BigInt(value * 2 ** 100) << (FRACTION_BITS - 100n);
}

/** Rounded to nearest even, as the conversion of a bigint is. */
function toDouble(fixed: bigint): number {
  return Number(fixed) / 2 ** Number(FRACTION_BITS);
}

function expFixed(fixed: bigint): bigint {
  const halvings = 8n;
  const reduced = fixed >> halvings;
  let sum = ONE;
  let term = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = ((term * reduced) >> FRACTION_BITS) / k;
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) >> FRACTION_BITS;
  return sum;
}

/** The double nearest to e^value, for -10 < value < -2^-47. */
function expRounded(value: number): number {
  return toDouble(expFixed(toFixed(value)));
}

/** The double nearest to ln(value), for 2^-10 < value < 1 - 2^-20: `Math.log` and two terms of what it is short of. */
function logRounded(value: number): number {
  const guess = toFixed(Math.log(value));
  const short = ((toFixed(value) * expFixed(-guess)) >> FRACTION_BITS) - ONE;
  return toDouble(guess + short - ((short * short) >> (FRACTION_BITS + 1n)));
}
