// Sine and cosine in f32. WGSL's own may have an error of 2^-11, which is far too large for dynamics.
//
// The argument is reduced to [-pi/4, pi/4] by subtracting q pi/2, with pi/2 in three parts (Cody and Waite): the first
// two have 12 and 13 significant bits, so that their products with |q| <= 2048 are exact, and so is the first
// subtraction. Fusing a multiplication with an addition therefore changes nothing in the reduction. The third part
// is added to the sine after the polynomial, without an additional rounding. The error is below 1.6 units in the last
// place for |x| <= 32 pi, see docs/numerics.md; above |x| = 3200 the accuracy is lost.

const TRIG_TWO_OVER_PI: f32 = 0.6366197723675814;
const TRIG_HALF_PI_1: f32 = 1.57080078125;
const TRIG_HALF_PI_2: f32 = -4.454515874385834e-06;
const TRIG_HALF_PI_3: f32 = 6.07710062827671e-11;
// 1.5 2^23: after adding it, the low bits of the word are the low bits of the integer
const TRIG_TO_BITS: f32 = 12582912.0;

// (sin x, cos x)
fn trig_sincos(x: f32) -> vec2f {
  // The nearest integer. `round` gives the same, but makes the function a quarter slower on SwiftShader.
  let q = floor(x * TRIG_TWO_OVER_PI + 0.5);
  let near = (x - q * TRIG_HALF_PI_1) - q * TRIG_HALF_PI_2;
  let rest = q * TRIG_HALF_PI_3;
  let r = near - rest;
  let z = r * r;
  // Minimax polynomials for |r| <= pi/4: sin r / r - 1 and cos r - 1 + z/2, relative errors 4e-9 and 2e-10.
  let cubic = r * z * (-0.16666655 + z * (0.008332176 + z * -0.00019516978));
  let s = near + (cubic - rest);
  let c = 1.0 + z * (-0.5 + z * (0.041666646 + z * (-0.0013887313 + z * 2.4432786e-05)));
  // Each quarter turn swaps sine and cosine and flips a sign.
  let quarter = bitcast<u32>(q + TRIG_TO_BITS);
  let swap = (quarter & 1u) != 0u;
  let signs = vec2u(quarter & 2u, (quarter + 1u) & 2u) << vec2u(30u);
  return bitcast<vec2f>(bitcast<vec2u>(vec2f(select(s, c, swap), select(c, s, swap))) ^ signs);
}

// Up to here shorter polynomials suffice (error below 0.55 units in the last place), without argument reduction.
const TRIG_NEAR: f32 = 0.21;

// (sin x, cos x) for arguments that are almost always near 0.
fn trig_sincos_near(x: f32) -> vec2f {
  if (abs(x) > TRIG_NEAR) {
    return trig_sincos(x);
  }
  return trig_sincos_within(x);
}

// (sin x, cos x) for |x| <= TRIG_NEAR; wrong beyond.
fn trig_sincos_within(x: f32) -> vec2f {
  let z = x * x;
  let s = x + x * z * (-0.16666651 + z * 0.0083211595);
  let c = 1.0 + z * (-0.5 + z * (0.041666638 + z * -0.0013871852));
  return vec2f(s, c);
}

fn trig_sin(x: f32) -> f32 {
  return trig_sincos(x).x;
}

fn trig_cos(x: f32) -> f32 {
  return trig_sincos(x).y;
}

// x moved by whole turns into [-pi, pi], reduced like the argument of a sine; x itself if it is already inside.
fn trig_wrap(x: f32) -> f32 {
  let q = 4.0 * floor(x * (0.25 * TRIG_TWO_OVER_PI) + 0.5);
  return ((x - q * TRIG_HALF_PI_1) - q * TRIG_HALF_PI_2) - q * TRIG_HALF_PI_3;
}
