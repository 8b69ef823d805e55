// NumPy's SeedSequence and PCG64, bit for bit; the twin of src/base/rng. Needs f64.wgsl.

struct Rng {
  // 128-bit numbers, low word first
  state: vec4u,
  increment: vec4u,
  // upper half of a 64-bit draw whose lower half rng_next32 has returned; other draws leave it pending
  pending: u32,
  has_pending: bool,
}

// SeedSequence, as in src/base/rng/seed-sequence.ts
const RNG_MIX_START: u32 = 0x43b0d7e5u;
const RNG_MIX_STEP: u32 = 0x931e8875u;
const RNG_OUTPUT_START: u32 = 0x8b51f9ddu;
const RNG_OUTPUT_STEP: u32 = 0x58f38dedu;
const RNG_MIX_LEFT: u32 = 0xca01f9ddu;
const RNG_MIX_RIGHT: u32 = 0x4973f715u;
// PCG64's multiplier, low word first
const RNG_MULTIPLIER = vec4u(0x9fccf645u, 0x4385df64u, 0x1fc65da4u, 0x2360ed05u);

fn rng_hash(value: u32, constant: u32, step: u32) -> u32 {
  let v = (value ^ constant) * (constant * step);
  return v ^ (v >> 16u);
}

fn rng_mix(left: u32, right: u32) -> u32 {
  let v = RNG_MIX_LEFT * left - RNG_MIX_RIGHT * right;
  return v ^ (v >> 16u);
}

// a b + c + d, which always fits in 64 bits
fn rng_mul_add(a: u32, b: u32, c: u32, d: u32) -> vec2u {
  return f64_add_u64(f64_add_u64(f64_mul_u32(a, b), vec2u(c, 0u)), vec2u(d, 0u));
}

// a + b modulo 2^128
fn rng_add128(a: vec4u, b: vec4u) -> vec4u {
  let x = rng_mul_add(1u, a.x, b.x, 0u);
  let y = rng_mul_add(1u, a.y, b.y, x.y);
  let z = rng_mul_add(1u, a.z, b.z, y.y);
  return vec4u(x.x, y.x, z.x, a.w + b.w + z.y);
}

// state <- state multiplier + increment, modulo 2^128; long multiplication row by row
fn rng_advance(rng: ptr<function, Rng>) {
  let s = (*rng).state;
  let m = RNG_MULTIPLIER;
  let c = (*rng).increment;
  let a0 = rng_mul_add(s.x, m.x, c.x, 0u);
  let a1 = rng_mul_add(s.y, m.x, c.y, a0.y);
  let a2 = rng_mul_add(s.z, m.x, c.z, a1.y);
  let a3 = s.w * m.x + c.w + a2.y;
  let b1 = rng_mul_add(s.x, m.y, a1.x, 0u);
  let b2 = rng_mul_add(s.y, m.y, a2.x, b1.y);
  let b3 = s.z * m.y + a3 + b2.y;
  let c2 = rng_mul_add(s.x, m.z, b2.x, 0u);
  let c3 = s.y * m.z + b3 + c2.y;
  (*rng).state = vec4u(a0.x, b1.x, c2.x, s.x * m.w + c3);
}

// A generator seeded with an integer of up to 128 bits, low word first.
fn rng_seed_words(entropy: array<u32, 4>) -> Rng {
  var words = entropy;
  var pool: array<u32, 4>;
  var constant = RNG_MIX_START;
  for (var i = 0u; i < 4u; i++) {
    pool[i] = rng_hash(words[i], constant, RNG_MIX_STEP);
    constant *= RNG_MIX_STEP;
  }
  for (var source = 0u; source < 4u; source++) {
    for (var goal = 0u; goal < 4u; goal++) {
      if (source != goal) {
        pool[goal] = rng_mix(pool[goal], rng_hash(pool[source], constant, RNG_MIX_STEP));
        constant *= RNG_MIX_STEP;
      }
    }
  }
  var out: array<u32, 8>;
  constant = RNG_OUTPUT_START;
  for (var i = 0u; i < 8u; i++) {
    out[i] = rng_hash(pool[i & 3u], constant, RNG_OUTPUT_STEP);
    constant *= RNG_OUTPUT_STEP;
  }
  // 64-bit words come most significant first, each low half first: 0-3 are the start, 4-7 the stream.
  let increment = vec4u(
    (out[6] << 1u) | 1u,
    (out[7] << 1u) | (out[6] >> 31u),
    (out[4] << 1u) | (out[7] >> 31u),
    (out[5] << 1u) | (out[4] >> 31u),
  );
  // The first step from zero gives the increment; then the start is added.
  let start = vec4u(out[2], out[3], out[0], out[1]);
  var rng = Rng(rng_add128(increment, start), increment, 0u, false);
  rng_advance(&rng);
  return rng;
}

// A generator seeded with the 64-bit integer lo + 2^32 hi.
fn rng_seed(lo: u32, hi: u32) -> Rng {
  return rng_seed_words(array<u32, 4>(lo, hi, 0u, 0u));
}

// 64 uniform bits: (low word, high word)
fn rng_next64(rng: ptr<function, Rng>) -> vec2u {
  rng_advance(rng);
  let s = (*rng).state;
  let folded = s.xy ^ s.zw;
  let rotation = s.w >> 26u;
  let turned = select(folded, folded.yx, rotation >= 32u);
  let r = rotation & 31u;
  return (turned >> vec2u(r)) | ((turned.yx << vec2u(1u)) << vec2u(31u - r));
}

// 32 uniform bits; each 64-bit draw gives two of these
fn rng_next32(rng: ptr<function, Rng>) -> u32 {
  if ((*rng).has_pending) {
    (*rng).has_pending = false;
    return (*rng).pending;
  }
  let bits = rng_next64(rng);
  (*rng).pending = bits.y;
  (*rng).has_pending = true;
  return bits.x;
}

// A uniform integer in [0, n), n >= 1, by Lemire's method; n = 1 draws nothing.
fn rng_integers(rng: ptr<function, Rng>, n: u32) -> u32 {
  if (n == 1u) {
    return 0u;
  }
  // 2^32 mod n
  let biased = (0u - n) % n;
  var product = f64_mul_u32(rng_next32(rng), n);
  while (product.x < biased) {
    product = f64_mul_u32(rng_next32(rng), n);
  }
  return product.y;
}

// A multiple of 2^-53 in [0, 1).
fn rng_random(rng: ptr<function, Rng>) -> F64 {
  return rng_random_of(rng_next64(rng));
}

// The value of random() for these 64 bits.
fn rng_random_of(bits: vec2u) -> F64 {
  return f64_from_fraction53(vec2u((bits.x >> 11u) | (bits.y << 21u), bits.y >> 11u));
}

// A random() that is only compared: the integer random() 2^53, which needs no double. It makes a step with one draw a
// third faster.
alias RngFraction = vec2u;

fn rng_fraction(rng: ptr<function, Rng>) -> RngFraction {
  let bits = rng_next64(rng);
  return vec2u((bits.x >> 11u) | (bits.y << 21u), bits.y >> 11u);
}

// Whether a draw is below a bound in [2^-31, 1), exactly as in float64.
fn rng_fraction_below(draw: RngFraction, bound: F64) -> bool {
  // The bound times 2^53, rounded up, which does not change comparisons with an integer.
  let places = u32(F64_BIAS - 1) - (bound.hi >> 20u);
  let raised = f64_add_u64(f64_significand(bound), vec2u((1u << places) - 1u, 0u));
  let low = (raised.x >> places) | ((raised.y << 1u) << (31u - places));
  let high = raised.y >> places;
  return draw.y < high || (draw.y == high && draw.x < low);
}

// random() rounded to f32; may be 1
fn rng_random_f32(rng: ptr<function, Rng>) -> f32 {
  return f64_to_f32(rng_random(rng));
}

// low + (high - low) random(), computed in float64 and then rounded to f32
fn rng_uniform(rng: ptr<function, Rng>, low: F64, high: F64) -> f32 {
  let width = f64_add(high, f64_neg(low));
  return f64_to_f32(f64_add(low, f64_mul(width, rng_random(rng))));
}
