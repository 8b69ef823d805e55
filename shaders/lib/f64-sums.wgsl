// Sums of f32 numbers in double precision, and functions for means and squared distances. Needs f64.wgsl.

// A sum and its accumulated rounding error (Neumaier 1974): together they have about twice the digits of either, so
// that the order of the addends does not affect the result.
struct F64Sum {
  sum: F64,
  lost: F64,
}

const F64_ZERO = F64(0u, 0u);

// Converts f32 bits exactly; x is finite.
fn f64_from_f32_bits(bits: u32) -> F64 {
  let sign = bits & F64_SIGN;
  let significand = bits & 0x7fffffu;
  let exponent = (bits >> 23u) & 0xffu;
  if (exponent != 0u) {
    return F64(significand << 29u, sign | ((exponent + 896u) << 20u) | (significand >> 3u));
  }
  if (significand == 0u) {
    return F64(0u, sign);
  }
  // Subnormal: significand 2^-149, which is a normal double.
  return f64_pack(sign, 905 - i32(countLeadingZeros(significand)), vec2u(0u, significand << countLeadingZeros(significand)));
}

fn f64_abs(a: F64) -> F64 {
  return F64(a.lo, a.hi & ~F64_SIGN);
}

fn f64_sub(a: F64, b: F64) -> F64 {
  return f64_add(a, f64_neg(b));
}

// Both are non-negative.
fn f64_magnitude_less(a: F64, b: F64) -> bool {
  return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

fn f64_sum_join(a: F64Sum, b: F64Sum) -> F64Sum {
  let swap = f64_magnitude_less(f64_abs(a.sum), f64_abs(b.sum));
  let large = F64(select(a.sum.lo, b.sum.lo, swap), select(a.sum.hi, b.sum.hi, swap));
  let small = F64(select(b.sum.lo, a.sum.lo, swap), select(b.sum.hi, a.sum.hi, swap));
  // Five additions as passes of a loop, because compilers inline every call: the sum; its rounding error, as the larger
  // one minus the sum plus the smaller one, both exact (Dekker 1971); and the two previous errors added to it.
  var sum: F64;
  var result = large;
  for (var turn = 0u; turn < 5u; turn++) {
    var other = small;
    if (turn == 1u) {
      sum = result;
      result = large;
      other = f64_neg(sum);
    } else if (turn == 3u) {
      other = a.lost;
    } else if (turn == 4u) {
      other = b.lost;
    }
    result = f64_add(result, other);
  }
  return F64Sum(sum, result);
}

fn f64_sum_add(a: F64Sum, x: F64) -> F64Sum {
  return f64_sum_join(a, F64Sum(x, F64_ZERO));
}

// a / n rounded to nearest, for 1 <= n <= 2^31
fn f64_div_u32(a: F64, n: u32) -> F64 {
  if (f64_is_zero(a)) {
    return a;
  }
  // Long division, one bit at a time: the significand first, then zeros until the quotient has its 64 bits.
  let significand = f64_shift_left(f64_significand(a), 11u);
  var rest = 0u;
  var quotient = vec2u(0u);
  var exponent = f64_exponent(a);
  var digits = 0u;
  for (var i = 0u; digits < 64u; i++) {
    let bit = select(0u, f64_shift_left(significand, i).y >> 31u, i < 64u);
    rest = (rest << 1u) | bit;
    let one = rest >= n;
    rest -= select(0u, n, one);
    if (one || digits > 0u) {
      quotient = vec2u((quotient.x << 1u) | select(0u, 1u, one), (quotient.y << 1u) | (quotient.x >> 31u));
      digits += 1u;
    } else {
      // A leading zero: the quotient starts one bit lower.
      exponent -= 1;
    }
  }
  quotient.x |= select(0u, 1u, rest != 0u);
  return f64_pack(a.hi & F64_SIGN, exponent, quotient);
}
