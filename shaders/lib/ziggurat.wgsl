// Draws from N(0, 1) by NumPy's ziggurat in float64; the twin is Generator.standardNormal in src/base/rng/generator.ts.
// 99 of 100 draws need one product. The others need an exponential or a logarithm, which are accurate to 1e-15 here.
// One draw in 1e16 may be accepted differently than in NumPy, and one in 1e12 may differ in its last f32 bit.
//
// The tables (ZIGGURAT_*) are generated from those of src/base/rng/ziggurat.ts.

// ln 2 in two parts; the first has trailing zeros, so that n times it is exact
const F64_LN2 = array<F64, 2>(F64(0xfee00000u, 0x3fe62e42u), F64(0x35793c76u, 0x3dea39efu));
const F64_ONE = F64(0u, 0x3ff00000u);
const EXP_TERMS: u32 = 14u;

fn f64_from_i32(n: i32) -> F64 {
  // A fraction of 2^53 whose exponent is then raised by 53.
  let fraction = f64_from_fraction53(vec2u(u32(abs(n)), 0u));
  return F64(fraction.lo, select((fraction.hi + (53u << 20u)) | select(0u, F64_SIGN, n < 0), 0u, n == 0));
}

// 1 / k for k = 1 ... EXP_TERMS
const F64_INVERSES = array<F64, 14>(
  F64(0x00000000u, 0x3ff00000u), F64(0x00000000u, 0x3fe00000u), F64(0x55555555u, 0x3fd55555u),
  F64(0x00000000u, 0x3fd00000u), F64(0x9999999au, 0x3fc99999u), F64(0x55555555u, 0x3fc55555u),
  F64(0x92492492u, 0x3fc24924u), F64(0x00000000u, 0x3fc00000u), F64(0x1c71c71cu, 0x3fbc71c7u),
  F64(0x9999999au, 0x3fb99999u), F64(0x745d1746u, 0x3fb745d1u), F64(0x55555555u, 0x3fb55555u),
  F64(0x13b13b14u, 0x3fb3b13bu), F64(0x92492492u, 0x3fb24924u),
);

// e^a for |a| < 100
fn f64_exp(a: F64) -> F64 {
  let n = i32(round(f64_to_f32(a) * 1.4426950408889634));
  let count = f64_from_i32(-n);
  var r = a;
  for (var k = 0u; k < 2u; k++) {
    r = f64_add(r, f64_mul(count, F64_LN2[k]));
  }
  var sum = F64_ONE;
  for (var k = EXP_TERMS; k > 0u; k--) {
    sum = f64_add(F64_ONE, f64_mul(f64_mul(r, sum), F64_INVERSES[k - 1u]));
  }
  return F64(sum.lo, sum.hi + (u32(n) << 20u));
}

// a / 2, exactly
fn f64_half(a: F64) -> F64 {
  return F64(a.lo, select(a.hi - (1u << 20u), a.hi, f64_is_zero(a)));
}

// -ln(rest), from an f32 guess and exp(guess) in float64: ln(rest) = -guess + ln(1 + short)
fn f64_improved_logarithm(rest: F64, guess: F64, exp_guess: F64) -> F64 {
  let short = f64_add(f64_mul(rest, exp_guess), f64_neg(F64_ONE));
  return f64_add(guess, f64_neg(f64_add(short, f64_neg(f64_half(f64_mul(short, short))))));
}

// A non-negative f32 as a double, with an absolute error of 2^-24, which is enough for a guess.
fn f64_near(x: f32) -> F64 {
  let units = u32(max(x, 0.0) * 16777216.0);
  let fraction = f64_from_fraction53(vec2u(units, 0u));
  return F64(fraction.lo, select(fraction.hi + (29u << 20u), 0u, units == 0u));
}

// The next value that a draw outside its layer needs.
const AFRESH: u32 = 0u;
const EDGE: u32 = 1u;
const TAIL_DISTANCE: u32 = 2u;
const TAIL_HEIGHT: u32 = 3u;

// One loop with one draw and one exponential, shared by tail and layer edges, because compilers inline every call.
fn rng_standard_normal(rng: ptr<function, Rng>) -> F64 {
  var result: F64;
  var layer: u32;
  var sign: u32;
  var wanted = AFRESH;
  loop {
    let bits = rng_next64(rng);
    if (wanted == AFRESH) {
      layer = bits.x & 0xffu;
      let magnitude = vec2u(((bits.y & 0x1ffu) << 23u) | (bits.x >> 9u), (bits.y & 0x1fffffffu) >> 9u);
      // innerCount, and the width of the layer times 2^53
      let entry = ZIGGURAT_LAYERS[layer];
      let distance = f64_mul(f64_from_fraction53(magnitude), F64(entry.z, entry.w));
      result = F64(distance.lo, distance.hi | select(0u, F64_SIGN, (bits.x & 0x100u) != 0u));
      if (magnitude.y < entry.y || (magnitude.y == entry.y && magnitude.x < entry.x)) {
        break;
      }
      sign = select(0u, F64_SIGN, (bits.x & 0x20000u) != 0u);
      wanted = select(EDGE, TAIL_DISTANCE, layer == 0u);
      continue;
    }
    let drawn = rng_random_of(bits);
    let rest = f64_add(F64_ONE, f64_neg(drawn));
    let guess = f64_near(-log(f64_to_f32(rest)));
    var exponent = guess;
    if (wanted == EDGE) {
      exponent = f64_neg(f64_half(f64_mul(result, result)));
    }
    let power = f64_exp(exponent);
    let exponential = f64_improved_logarithm(rest, guess, power);
    // density of the layer, and the difference to the layer below
    let edge = ZIGGURAT_EDGES[layer];
    // One product for all three cases.
    var left = F64(edge.z, edge.w);
    var right = drawn;
    if (wanted == TAIL_DISTANCE) {
      left = ZIGGURAT_TAIL_INVERSE;
      right = exponential;
    } else if (wanted == TAIL_HEIGHT) {
      left = result;
      right = result;
    }
    let product = f64_mul(left, right);
    if (wanted == TAIL_DISTANCE) {
      result = product;
      wanted = TAIL_HEIGHT;
      continue;
    }
    var bound = F64(exponential.lo, exponential.hi + (1u << 20u));
    var height = product;
    if (wanted == EDGE) {
      bound = power;
      height = f64_add(product, F64(edge.x, edge.y));
    }
    let accepted = f64_less(height, bound);
    if (accepted && wanted == TAIL_HEIGHT) {
      let beyond = f64_add(ZIGGURAT_TAIL, result);
      result = F64(beyond.lo, beyond.hi | sign);
    }
    if (accepted) {
      break;
    }
    wanted = select(AFRESH, TAIL_DISTANCE, wanted == TAIL_HEIGHT);
  }
  return result;
}
