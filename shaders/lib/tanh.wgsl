// Hyperbolic tangent in f32. WGSL allows its own the error of (e^x - e^-x) / (e^x + e^-x), which cancels near 0 and
// overflows for large x.
//
// Below 0.625 an odd polynomial; above it 1 - 2 / (e^2|x| + 1), which reduces the error of the exponential. e^t is
// 2^n e^r with |r| <= ln(2) / 2; ln(2) is subtracted in two parts, the first with 9 significant bits, so that n times
// it is exact. From 9.02 on the result rounds to 1. The error is below 1.3 units in the last place, see
// docs/numerics.md.

const TANH_SMALL: f32 = 0.625;
const TANH_FLAT: f32 = 9.02;
const TANH_LOG2_E: f32 = 1.4426950408889634;
const TANH_LN2_1: f32 = 0.693359375;
const TANH_LN2_2: f32 = -2.1219444005469057e-4;
const TANH_EXPONENT_BIAS: i32 = 127;
const TANH_MANTISSA_BITS: u32 = 23u;

fn tanh_accurate(x: f32) -> f32 {
  // Minimax polynomial: tanh x / x - 1, relative error 4e-9.
  let z = x * x;
  let tail = -0.33333282 + z * (0.13331442 + z * (-0.05373972 + z * (0.02063909 + z * -0.00570499)));
  let small = x + x * (z * tail);

  let t = 2.0 * min(abs(x), TANH_FLAT);
  let n = floor(t * TANH_LOG2_E + 0.5);
  let r = (t - n * TANH_LN2_1) - n * TANH_LN2_2;
  // Minimax polynomial: e^r, relative error 3e-9.
  let rest = 0.49999993 + r * (0.16666521 + r * (0.04166839 + r * (0.00836871 + r * 0.00138146)));
  let power = bitcast<f32>(u32(i32(n) + TANH_EXPONENT_BIAS) << TANH_MANTISSA_BITS);
  let exponential = power * (1.0 + (r + r * r * rest));
  let large = 1.0 - 2.0 / (exponential + 1.0);
  return select(select(large, -large, x < 0.0), small, abs(x) < TANH_SMALL);
}
