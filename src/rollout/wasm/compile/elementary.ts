/**
 * The functions of WGSL that no instruction computes, in WGSL itself, so that every machine gives the same bits. Series
 * and reductions are those of the Cephes library in single precision (S. Moshier), errors about 2 units in the last place.
 * No name of WGSL begins with two underscores, so that no program declares one of these.
 */
export const elementaryText = `
fn __ldexp(x: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return x * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(n - half + 127) << 23u);
}
fn __ldexp_any(x: f32, n: i32) -> f32 {
  return __ldexp(x, clamp(n, -252, 254));
}
fn __frexp_exp(x: f32) -> i32 {
  let tiny = abs(x) < 1.17549435e-38;
  let bits = bitcast<u32>(select(x, x * 8388608.0, tiny));
  return select(i32((bits >> 23u) & 255u) - select(126, 149, tiny), 0, x == 0.0);
}
fn __frexp_fract(x: f32) -> f32 {
  return __ldexp(x, -__frexp_exp(x));
}
fn __extract_u32(e: u32, offset: u32, count: u32) -> u32 {
  let o = min(offset, 32u);
  let c = min(count, 32u - o);
  return select((e << (32u - o - c)) >> (32u - c), 0u, c == 0u);
}
fn __extract_i32(e: i32, offset: u32, count: u32) -> i32 {
  let o = min(offset, 32u);
  let c = min(count, 32u - o);
  return select((e << (32u - o - c)) >> (32u - c), 0, c == 0u);
}
fn __insert_u32(e: u32, new_bits: u32, offset: u32, count: u32) -> u32 {
  let o = min(offset, 32u);
  let c = min(count, 32u - o);
  let mask = select(((1u << c) - 1u) << o, 0xffffffffu, c == 32u);
  return (e & ~mask) | ((new_bits << o) & mask);
}
fn __insert_i32(e: i32, new_bits: i32, offset: u32, count: u32) -> i32 {
  return bitcast<i32>(__insert_u32(bitcast<u32>(e), bitcast<u32>(new_bits), offset, count));
}
fn __exp(x: f32) -> f32 {
  let t = clamp(x, -104.0, 89.0);
  let n = floor(t * 1.44269504088896341 + 0.5);
  let r = (t - n * 0.693359375) - n * -2.12194440e-4;
  let p = ((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r
    + 1.6666665459e-1) * r + 5.0000001201e-1;
  return select(__ldexp(p * (r * r) + r + 1.0, i32(n)), x, x != x);
}
fn __log(x: f32) -> f32 {
  let tiny = x < 1.17549435e-38;
  let bits = bitcast<u32>(select(x, x * 8388608.0, tiny));
  let low = bitcast<f32>((bits & 0x7fffffu) | 0x3f000000u);
  let short = low < 0.707106781186547524;
  let e = f32(i32(bits >> 23u) - 126 - select(0, 23, tiny)) - select(0.0, 1.0, short);
  let r = select(low, low + low, short) - 1.0;
  let z = r * r;
  let p = ((((((((7.0376836292e-2 * r - 1.1514610310e-1) * r + 1.1676998740e-1) * r - 1.2420140846e-1) * r
    + 1.4249322787e-1) * r - 1.6668057665e-1) * r + 2.0000714765e-1) * r - 2.4999993993e-1) * r + 3.3333331174e-1) * r * z;
  let y = p + e * -2.12194440e-4 - 0.5 * z;
  let positive = (r + y) + e * 0.693359375;
  let infinite = bitcast<f32>(0x7f800000u + (bits & 0u));
  let special = select(select(infinite - infinite, -infinite, x == 0.0), x, x == infinite || x != x);
  return select(special, positive, x > 0.0 && x < infinite);
}
fn __exp2(x: f32) -> f32 {
  let n = floor(clamp(x, -150.0, 129.0) + 0.5);
  return __ldexp(__exp((clamp(x, -150.0, 129.0) - n) * 0.693147180559945309), i32(n));
}
fn __log2(x: f32) -> f32 {
  return __log(x) * 1.44269504088896341;
}
fn __pow(x: f32, y: f32) -> f32 {
  return __exp2(y * __log2(x));
}
fn __sincos(x: f32) -> vec2f {
  let q = floor(x * 0.6366197723675814 + 0.5);
  let r = ((x - q * 1.57080078125) - q * -4.454515874385834e-06) - q * 6.07710062827671e-11;
  let z = r * r;
  let s = r + r * z * (-0.16666655 + z * (0.008332176 + z * -0.00019516978));
  let c = 1.0 + z * (-0.5 + z * (0.041666646 + z * (-0.0013887313 + z * 2.4432786e-05)));
  let quarter = i32(q);
  let swap = (quarter & 1) != 0;
  let sine = select(s, c, swap);
  let cosine = select(c, s, swap);
  return vec2f(select(sine, -sine, (quarter & 2) != 0), select(cosine, -cosine, ((quarter + 1) & 2) != 0));
}
fn __sin(x: f32) -> f32 {
  return __sincos(x).x;
}
fn __cos(x: f32) -> f32 {
  return __sincos(x).y;
}
fn __tan(x: f32) -> f32 {
  let both = __sincos(x);
  return both.x / both.y;
}
fn __atan(x: f32) -> f32 {
  let a = abs(x);
  let large = a > 2.414213562373095;
  let middle = a > 0.4142135623730950;
  let t = select(select(a, (a - 1.0) / (a + 1.0), middle), -1.0 / a, large);
  let offset = select(select(0.0, 0.785398163397448309, middle), 1.570796326794896619, large);
  let z = t * t;
  let y = offset + ((((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * t + t);
  return select(y, -y, x < 0.0);
}
fn __atan2(y: f32, x: f32) -> f32 {
  let angle = select(__atan(y / x), select(1.570796326794896619, -1.570796326794896619, y < 0.0), x == 0.0);
  let turned = angle + select(0.0, select(3.141592653589793238, -3.141592653589793238, y < 0.0), x < 0.0);
  return select(turned, select(0.0, y, y != y), x == 0.0 && y == 0.0);
}
fn __asin(x: f32) -> f32 {
  return __atan2(x, sqrt((1.0 - x) * (1.0 + x)));
}
fn __acos(x: f32) -> f32 {
  return __atan2(sqrt((1.0 - x) * (1.0 + x)), x);
}
fn __sinh(x: f32) -> f32 {
  let e = __exp(abs(x));
  let large = 0.5 * (e - 1.0 / e);
  let z = x * x;
  let small = x + x * z * (0.16666667 + z * (0.008333333 + z * 0.00019841270));
  return select(select(large, -large, x < 0.0), small, abs(x) < 1.0);
}
fn __cosh(x: f32) -> f32 {
  let e = __exp(abs(x));
  return 0.5 * (e + 1.0 / e);
}
fn __asinh(x: f32) -> f32 {
  let a = abs(x);
  let large = select(__log(a + sqrt(a * a + 1.0)), __log(a) + 0.693147180559945309, a > 1.0e9);
  let z = x * x;
  let small = x - x * z * (0.16666667 - z * (0.075 - z * (0.044642857 - z * 0.030381944)));
  return select(select(large, -large, x < 0.0), small, a < 0.3);
}
fn __acosh(x: f32) -> f32 {
  let t = x - 1.0;
  return select(__log(x + sqrt(t * (x + 1.0))), __log(x) + 0.693147180559945309, x > 1.0e9);
}
fn __atanh(x: f32) -> f32 {
  let z = x * x;
  let small = x + x * z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * 0.11111111)));
  return select(0.5 * __log((1.0 + x) / (1.0 - x)), small, abs(x) < 0.25);
}
fn __tanh(x: f32) -> f32 {
  let a = abs(x);
  let large = 1.0 - 2.0 / (__exp(2.0 * min(a, 9.02)) + 1.0);
  let z = x * x;
  let small = x + x * z * (-0.33333282 + z * (0.13331442 + z * (-0.05373972 + z * (0.02063909 + z * -0.00570499))));
  return select(select(large, -large, x < 0.0), small, a < 0.625);
}
`;
