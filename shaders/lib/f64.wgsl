// Double precision (IEEE 754 binary64) by integer arithmetic, every operation rounded to nearest, ties to even. Slow;
// meant for the few operations per episode whose float64 rounding determines the f32 result.
//
// Operands are zeros or normal numbers. Not handled: subnormals, infinities and NaN, as operands or as results.

struct F64 {
  lo: u32,
  hi: u32,
}

const F64_SIGN: u32 = 0x80000000u;
const F64_BIAS: i32 = 1023;

// 64-bit integers are vec2u(low word, high word).

// a b, exact
fn f64_mul_u32(a: u32, b: u32) -> vec2u {
  let a_lo = a & 0xffffu;
  let a_hi = a >> 16u;
  let b_lo = b & 0xffffu;
  let b_hi = b >> 16u;
  let low = a_lo * b_lo;
  let mid = a_hi * b_lo + (low >> 16u);
  let mid2 = a_lo * b_hi + (mid & 0xffffu);
  return vec2u((mid2 << 16u) | (low & 0xffffu), a_hi * b_hi + (mid >> 16u) + (mid2 >> 16u));
}

fn f64_add_u64(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < b.x));
}

fn f64_sub_u64(a: vec2u, b: vec2u) -> vec2u {
  return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

// a << n for n < 64
fn f64_shift_left(a: vec2u, n: u32) -> vec2u {
  let m = n & 31u;
  let high = (a.y << m) | ((a.x >> 1u) >> (31u - m));
  return select(vec2u(a.x << m, high), vec2u(0u, a.x << m), n >= 32u);
}

// a >> n for any n; bits shifted out set the lowest bit, so that later rounding is correct (sticky bit)
fn f64_shift_right_sticky(a: vec2u, n: u32) -> vec2u {
  // A shift by 63 or more leaves only that lowest bit.
  let places = min(n, 63u);
  let m = places & 31u;
  let from_high = (a.y << 1u) << (31u - m);
  let from_low = (a.x << 1u) << (31u - m);
  let near = vec2u((a.x >> m) | from_high | select(0u, 1u, from_low != 0u), a.y >> m);
  let far = vec2u((a.y >> m) | select(0u, 1u, (from_high | a.x) != 0u), 0u);
  return select(near, far, places >= 32u);
}

fn f64_leading_zeros(a: vec2u) -> u32 {
  return select(countLeadingZeros(a.y), 32u + countLeadingZeros(a.x), a.y == 0u);
}

fn f64_is_zero(a: F64) -> bool {
  return ((a.hi << 1u) | a.lo) == 0u;
}

fn f64_exponent(a: F64) -> i32 {
  return i32((a.hi >> 20u) & 0x7ffu);
}

// the 53 significant bits, in the lowest positions
fn f64_significand(a: F64) -> vec2u {
  return vec2u(a.lo, (a.hi & 0xfffffu) | 0x100000u);
}

// sign, biased exponent, and significand with its leading one in bit 63, rounded to 53 bits
fn f64_pack(sign: u32, exponent: i32, significand: vec2u) -> F64 {
  let rest = significand.x & 0x7ffu;
  let kept = vec2u((significand.x >> 11u) | (significand.y << 21u), significand.y >> 11u);
  let up = rest > 0x400u || (rest == 0x400u && (kept.x & 1u) != 0u);
  // The leading one counts as one in the exponent field, and so does the carry of a significand that rounds up to 2.
  let bits = f64_add_u64(vec2u(kept.x, kept.y + (u32(exponent - 1) << 20u)), vec2u(select(0u, 1u, up), 0u));
  return F64(bits.x, bits.y | sign);
}

fn f64_neg(a: F64) -> F64 {
  return F64(a.lo, a.hi ^ F64_SIGN);
}

fn f64_mul(a: F64, b: F64) -> F64 {
  let sign = (a.hi ^ b.hi) & F64_SIGN;
  if (f64_is_zero(a) || f64_is_zero(b)) {
    return F64(0u, sign);
  }
  let x = f64_shift_left(f64_significand(a), 11u);
  let y = f64_shift_left(f64_significand(b), 11u);
  let low = f64_mul_u32(x.x, y.x);
  let cross = f64_mul_u32(x.y, y.x);
  let cross2 = f64_mul_u32(x.x, y.y);
  let middle = f64_add_u64(vec2u(low.y, 0u), cross);
  let middle2 = f64_add_u64(vec2u(middle.x, 0u), cross2);
  var product = f64_add_u64(f64_mul_u32(x.y, y.y), f64_add_u64(vec2u(middle.y, 0u), vec2u(middle2.y, 0u)));
  // The product of two numbers in [1, 2) may be below 2: then the leading one is in bit 62.
  let short = (product.y & F64_SIGN) == 0u;
  let doubled = vec2u((product.x << 1u) | (middle2.x >> 31u), (product.y << 1u) | (product.x >> 31u));
  product = select(product, doubled, short);
  product.x |= select(0u, 1u, (low.x | middle2.x) != 0u);
  return f64_pack(sign, f64_exponent(a) + f64_exponent(b) - F64_BIAS + select(1, 0, short), product);
}

fn f64_add(a: F64, b: F64) -> F64 {
  if (f64_is_zero(a)) {
    // Two zeros give -0 only if both are -0.
    return F64(b.lo, select(b.hi, a.hi & b.hi, f64_is_zero(b)));
  }
  if (f64_is_zero(b)) {
    return a;
  }
  let a_abs = a.hi & ~F64_SIGN;
  let b_abs = b.hi & ~F64_SIGN;
  let swap = a_abs < b_abs || (a_abs == b_abs && a.lo < b.lo);
  let large = F64(select(a.lo, b.lo, swap), select(a.hi, b.hi, swap));
  let small = F64(select(b.lo, a.lo, swap), select(b.hi, a.hi, swap));
  let sign = large.hi & F64_SIGN;
  let exponent = f64_exponent(large);
  // Leading one in bit 62: room for a carry above, and ten bits below for guard and sticky.
  let x = f64_shift_left(f64_significand(large), 10u);
  let y = f64_shift_right_sticky(
    f64_shift_left(f64_significand(small), 10u),
    u32(exponent - f64_exponent(small)),
  );
  var sum: vec2u;
  if (((large.hi ^ small.hi) & F64_SIGN) == 0u) {
    sum = f64_add_u64(x, y);
  } else {
    sum = f64_sub_u64(x, y);
  }
  if ((sum.x | sum.y) == 0u) {
    return F64(0u, 0u);
  }
  let shift = f64_leading_zeros(sum);
  return f64_pack(sign, exponent + 1 - i32(shift), f64_shift_left(sum, shift));
}

// a < b; the two zeros are equal
fn f64_less(a: F64, b: F64) -> bool {
  let a_negative = (a.hi & F64_SIGN) != 0u;
  let b_negative = (b.hi & F64_SIGN) != 0u;
  if (a_negative != b_negative) {
    return a_negative && !(f64_is_zero(a) && f64_is_zero(b));
  }
  let nearer = a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
  let equal = a.hi == b.hi && a.lo == b.lo;
  return !equal && (nearer != a_negative);
}

// n 2^-53 for an integer n < 2^53, exact
fn f64_from_fraction53(n: vec2u) -> F64 {
  if ((n.x | n.y) == 0u) {
    return F64(0u, 0u);
  }
  let shift = f64_leading_zeros(n);
  return f64_pack(0u, F64_BIAS + 10 - i32(shift), f64_shift_left(n, shift));
}

// The bits of the nearest f32; subnormal results are rounded correctly, too large ones become infinite.
fn f64_to_f32_bits(a: F64) -> u32 {
  let sign = a.hi & F64_SIGN;
  if (f64_is_zero(a)) {
    return sign;
  }
  let exponent = f64_exponent(a) - F64_BIAS + 127;
  if (exponent >= 255) {
    return sign | 0x7f800000u;
  }
  // Exponent 0 means the scale of exponent 1 without a leading one.
  let scale = max(exponent, 1);
  let shifted = f64_shift_right_sticky(f64_shift_left(f64_significand(a), 11u), u32(scale - exponent));
  let kept = shifted.y >> 8u;
  let rest = ((shifted.y & 0xffu) << 1u) | select(0u, 1u, shifted.x != 0u);
  let up = rest > 0x100u || (rest == 0x100u && (kept & 1u) != 0u);
  return sign | (kept + (u32(scale - 1) << 23u) + select(0u, 1u, up));
}

fn f64_to_f32(a: F64) -> f32 {
  return bitcast<f32>(f64_to_f32_bits(a));
}
