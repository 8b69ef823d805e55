/** WGSL compiled to WebAssembly, construct by construct: the bits that a WebGPU adapter gives. */
import { afterAll, describe, expect, it } from 'vitest';
import { describeGpu } from '../../support/gpu.ts';
import { closeKernelDevice, type Kernel, runKernel } from '../../support/kernel.ts';
import { runWasmKernel } from '../../support/wasm-kernel.ts';

/** Bodies as those below, and what each returns whatever it is given. */
const answers: Readonly<Record<string, readonly [body: string, wanted: number]>> = {
  'a loop whose step its body changes': [
    'var stride = 1; var s = 0u; for (var i = 0; i < 7; i += stride) { s += 1u; stride = 2; } return s;',
    4,
  ],
  'a loop whose step its body changes through a pointer': [
    'var stride = 1; let p = &stride; var s = 0u; for (var i = 0; i < 7; i += stride) { s += 1u; *p = 2; } return s;',
    4,
  ],
  'a loop whose step is its counter, beside an outer one of that name': [
    'let i = 5u; var s = i; for (var i = 1u; i < 16u; i += i) { s = s * 3u + i; } return s;',
    5 * 81 + 27 + 18 + 12 + 8,
  ],
  'a loop whose condition reads what its body changes through a pointer': [
    'var n = 3; let p = &n; var s = 0u; for (var i = 0; i < n; i++) { *p = 5; s += 1u; } return s;',
    5,
  ],
  'a pointer that is copied in a loop': [
    'var s = 7u; copied(&s, i32(min(a, 0u)) + 3); copied(&s, 2); return s;',
    7 + 3 * 6 + 2 * 6,
  ],
  'abstract integers of 64 bits': [
    'let big = f32(1 << 31) + f32(1 << 32); return u32(big == 6442450944.0) + u32(((3 << 40) >> 39) | (5 ^ 2)) * 2u;',
    1 + 2 * 7,
  ],
  'abstract integers as bits of a u32': [
    'return HIGH ^ (0xf0000000 & 0xff000000) ^ u32(~(-1 - 0x90000000));',
    0xe0000001,
  ],
  'an abstract zero without a sign': ['return bitcast<u32>(f32(-0)) | bitcast<u32>(f32(0 * -3));', 0],
  'an abstract integer by amounts that are no constants': [
    'var s = 0u; for (var i = 30u; i < 34u; i++) { s = s * 3u + u32((1 << i) != 0); } let k = 33u; return s + u32(2 << k) * 100u;',
    40 + 400,
  ],
  'first bits of abstract integers': [
    'return u32(firstLeadingBit(-1) + 3) + u32(firstLeadingBit(-5)) * 4u;',
    2 + 4 * 2,
  ],
  'abstract floats of 53 bits, rounded to whole ones': [
    'return u32(floor(16777217.5)) + u32(ceil(33554434.25)) + u32(trunc(67108865.5)) + u32(round(134217729.4));',
    16777217 + 33554435 + 67108865 + 134217729,
  ],
  'whole powers of constants': ['return u32(pow(10.0, 4.0)) + u32(pow(7, 2)) + u32(8.0 * pow(2.0, -3.0));', 10_050],
  'a function of WGSL that uses another whose name the program takes': [
    'return u32(round(asin(f32(min(a, 0u)) + 0.5) * 1000.0)) + u32(sqrt(1.0)) * 10000u;',
    524 + 50_000,
  ],
  'arrays of arrays of abstract numbers': [
    'var g = Grid(array(array(1, 2), array(3, 4))); g.cells[a & 1u][1] += 0.0; let n = array(array(5, 6), array(7, 8)); return u32(g.cells[1][0]) + u32(NEST[min(a, 0u) + 1u][min(b, 0u) + 1u]) * 10u + u32(n[1][0]) * 100u;',
    3 + 4 * 10 + 7 * 100,
  ],
  'a shift by 32 bits, of which the amount is not a constant': [
    'let k = 32u; let s = (a | 0xf0000000u) >> k; return u32(s > 5u) + 2u * u32(f32(s) > 1e9);',
    3,
  ],
  'a variable of continuing that break if reads': [
    'var i = min(a, 0u); loop { continuing { i += 3u; let next = i * 2u; break if next > 40u; } } return i;',
    21,
  ],
};

/** Bodies of `fn (a: u32, b: u32, c: i32, x: f32, y: f32) -> u32`. */
const constructs: Readonly<Record<string, string>> = {
  'u32 arithmetic': 'return a * b + (a - b) * 3u;',
  'i32 arithmetic': 'return u32(c * 7 - i32(b)) ^ u32(-c);',
  'u32 division, also by zero': 'return a / (b & 3u) + a / 10u + a / 16u + a / b;',
  'u32 remainder, also by zero': 'return a % (b & 3u) + (a % 10u) * 16u + a % 16u + (a % b);',
  'i32 division, also by zero and minus one':
    'let d = i32(b & 3u) - 1; return u32(c / d) + u32(c / 7) + u32((c & 0xffff) / 4);',
  'i32 remainder, also by zero and minus one': 'let d = i32(b & 3u) - 1; return u32(c % d) + u32(c % 7) * 3u;',
  'bit operations': 'return ((a & b) | ~(a ^ 0x0f0f0f0fu)) ^ (b & ~a);',
  'shifts by known amounts': 'return (a << 3u) ^ (a >> 5u) ^ u32(c >> 4u) ^ (a << 31u) ^ (a >> 0u);',
  'shifts by amounts that differ between lanes':
    'let n = b & 31u; return (a << n) ^ (a >> n) ^ u32(c >> n) ^ (1u << n) ^ (a << (31u - n)) ^ u32(c << n);',
  'shifts of vectors': 'let v = vec2u(a, b) << vec2u(7u, 9u); return v.x ^ (v >> vec2u(a & 31u, 3u)).y;',
  'comparisons of u32':
    'return select(0u, 1u, a < b) + select(0u, 2u, a <= b) + select(0u, 4u, a > 0x80000000u) + select(0u, 8u, a >= b) + select(0u, 16u, a == b) + select(0u, 32u, a != b);',
  'comparisons of i32':
    'return select(0u, 1u, c < 3) + select(0u, 2u, c <= -7) + select(0u, 4u, c > i32(a)) + select(0u, 8u, c >= 0);',
  'comparisons of f32':
    'return select(0u, 1u, x < y) + select(0u, 2u, x <= 0.0) + select(0u, 4u, x > y) + select(0u, 8u, x >= y) + select(0u, 16u, x == -0.0) + select(0u, 32u, x != y);',
  'f32 arithmetic': 'return bitcast<u32>((x + y) * (x - y)) ^ bitcast<u32>(-x * 0.1);',
  'f32 products and sums are not fused': 'return bitcast<u32>(x * y + x) ^ bitcast<u32>(y - x * x);',
  'f32 division': 'return bitcast<u32>(x / (abs(y) + 1.5));',
  'floor, ceil, trunc, round, fract':
    'return bitcast<u32>(floor(x)) + bitcast<u32>(ceil(x)) * 3u + bitcast<u32>(trunc(y)) * 5u + bitcast<u32>(round(y)) * 7u + bitcast<u32>(fract(x)) * 11u;',
  'round to even': 'return bitcast<u32>(round(f32(c % 9) * 0.5));',
  'abs, sign, min, max, clamp of f32':
    'return bitcast<u32>(abs(x)) ^ bitcast<u32>(sign(y)) ^ bitcast<u32>(min(x, y) * 3.0) ^ bitcast<u32>(max(x, y)) ^ bitcast<u32>(clamp(x, -1.5, 2.5));',
  'abs, min, max, clamp of whole numbers':
    'return u32(abs(c % 1000)) + min(a, b) + max(a, 7u) + u32(min(c, -3)) + u32(max(c, i32(b))) + clamp(a, 10u, 1000u);',
  'conversions of f32 to whole numbers, within their range': 'return u32(abs(x) * 100.0) ^ u32(i32(y * 1000.0));',
  'conversions of f32 beyond whole numbers':
    'return u32(x * 1e7) ^ (u32(i32(y * 1e8)) >> 1u) ^ u32(vec2i(vec2f(x, y) * 1e30).y);',
  'conversions of whole numbers to f32':
    'return bitcast<u32>(f32(a & 0xffffffu)) ^ bitcast<u32>(f32(c >> 8u)) ^ bitcast<u32>(f32(a & 0xffffu));',
  'conversions from and to bool':
    'return u32(a > b) + 2u * u32(bool(a & 1u)) + bitcast<u32>(f32(x > y)) + u32(i32(bool(x)));',
  'leading zeros, trailing zeros, one bits':
    'return countLeadingZeros(a) + 64u * countLeadingZeros(a >> (b & 31u)) + 4096u * countOneBits(b) + 65536u * countTrailingZeros(a << 3u) + countLeadingZeros(0u);',
  'select of vectors':
    'let v = select(vec3u(a, b, 1u), vec3u(b, 2u, a), vec3<bool>(a > b, x > y, c > 0)); return v.x ^ (v.y << 1u) ^ (v.z << 2u);',
  'vectors: members, swizzles, parts':
    'var v = vec4u(a, b, 3u, 4u); v.z = v.x + 1u; v[1] += 5u; let w = v.wzyx; return w.x ^ w.y ^ v.yx.x ^ vec4u(v.xy, v.zw).y;',
  'vectors of one number':
    'let v = vec3f(x) * vec3f(1.0, 2.0, 3.0) + y; return bitcast<u32>(v.x) ^ bitcast<u32>(v.y) ^ bitcast<u32>(v.z);',
  'bits that change places': 'return reverseBits(a) ^ (u32(reverseBits(c)) * 3u) ^ reverseBits(vec2u(a, b)).y;',
  'bits that are taken out':
    'let o = b & 31u; let n = a & 63u; return extractBits(a, o, n) ^ (u32(extractBits(c, o, n)) * 3u) ^ extractBits(vec2u(a, b), 3u, 40u + n).y ^ extractBits(b, 40u + n, 1u);',
  'bits that are put in':
    'let o = b & 31u; let n = a & 63u; return insertBits(a, b, o, n) ^ (u32(insertBits(c, -1, o, n)) * 3u) ^ insertBits(vec2u(a, b), vec2u(b, a), 3u, 40u + n).y ^ u32(insertBits(1, i32(b), 0u, 32u)) ^ insertBits(a, b, 5u, 0u);',
  'powers of two':
    'let n = i32(b % 60u) - 30; return bitcast<u32>(ldexp(x, n)) ^ bitcast<u32>(ldexp(vec2f(y, x), vec2i(3, n)).y * 3.0);',
  'fractions and exponents':
    'let p = select(x, 0.375, x == 0.0); let r = frexp(vec2f(p, y)); return bitcast<u32>(frexp(p).fract) ^ u32(r.exp.x * 7 + r.exp.y) ^ bitcast<u32>(r.fract.x);',
  // The zero of a negative whole number has a sign on some adapters.
  'fractions and whole parts':
    'let r = modf(x); let v = modf(vec2f(y, x)); return bitcast<u32>(abs(r.fract)) ^ bitcast<u32>(r.whole * 3.0) ^ bitcast<u32>(v.whole.x + v.fract.y);',
  // Of small whole numbers, whose sums are exact in any order.
  'matrices by vectors':
    'let p = f32(a & 63u); let q = f32(b & 31u); let m = mat2x3f(p, 1.0, q, 2.0, -q, 3.0); let v = m * vec2f(q, p); let w = vec3f(p, 2, q) * m; return bitcast<u32>(v.x) ^ bitcast<u32>(v.y + v.z * 3.0) ^ bitcast<u32>(w.x - w.y * 5.0);',
  'products of matrices':
    'let p = f32(a & 63u); let m = mat2x2f(vec2f(p, 1), vec2f(2.0, -p)); let n = m * mat3x2f(1, 2, 3, p, 5, 6); let k = transpose(n) * m; return bitcast<u32>(n[2].y + n[0].x * 3.0) ^ bitcast<u32>(k[1].z - k[0][1]);',
  'sums of matrices':
    'let p = f32(a & 63u); var m = mat2x2<f32>(p, 2, 3, 4) * 2.0 + 0.5 * mat2x2f(1, 2, p, 8); m -= mat2x2f(p, p, p, p); m *= 3.0; return bitcast<u32>(m[0].x + m[1].y * 7.0) ^ bitcast<u32>(m[1][0]);',
  'parts of matrices':
    'var m = mat3x3f(); m[1] = vec3f(x, y, 1.0); m[2][b % 3u] = x; m[0].y += 2.0; let column = m[a % 3u]; return bitcast<u32>(column.x) ^ bitcast<u32>(column.y) ^ bitcast<u32>(column.z);',
  'matrices as parameters, constants and fields':
    'return bitcast<u32>(turned(TURN, vec2f(f32(a & 63u), 3.0)).y) ^ bitcast<u32>(turned(Turning(TURN, 1.0).by, vec2f(2.0, f32(b & 31u))).x);',
  determinants:
    'let p = f32(a & 15u); let q = f32(b & 7u); return bitcast<u32>(determinant(mat2x2f(p, 2, q, 4))) ^ bitcast<u32>(determinant(mat3x3f(p, 1, 2, q, 3, 1, 4, 5, p))) ^ bitcast<u32>(determinant(mat4x4f(1, p, 0, 2, q, 1, 3, 0, 2, 1, 1, p, 0, 4, 1, 2)));',
  'values at an index that is not known':
    'let row = array<u32, 6>(a, b, a + b, a ^ b, 5u, a * 3u); let v = vec4u(b, a, 7u, a - b); return row[b % 6u] ^ v[a & 3u] ^ array(a, b, 1u, 2u, 3u)[a % 5u];',
  'vectors and scalars': 'let v = 2.0 * vec2f(x, y) - 0.5; return bitcast<u32>(v.x) ^ bitcast<u32>(v.y);',
  'first bits of whole numbers':
    'return firstLeadingBit(a) + 64u * firstTrailingBit(b) + u32(firstLeadingBit(c)) * 3u + firstLeadingBit(0u) + u32(firstTrailingBit(c << 3u));',
  'dot, all, any':
    'return bitcast<u32>(dot(vec2f(x, y), vec2f(0.5, y))) ^ u32(all(vec2u(a, b) > vec2u(3u))) ^ (u32(any(vec2f(x, y) < vec2f(0.0))) << 1u);',
  'bool operators':
    'let p = a > b; let q = x > y; return u32(p && q) + 2u * u32(p || q) + 4u * u32(!p) + 8u * u32(p != q) + 16u * u32((p & q) | (p == q));',
  'the right side of && and || is skipped':
    'var n = a; let hit = (a & 1u) == 0u && bump(&n); let other = (b & 1u) == 0u || bump(&n); return n ^ u32(hit) ^ (u32(other) << 1u);',
  'if, else if, else': 'if (a < 1000u) { return 1u; } else if (b > a) { return b - a; } else { return a ^ 7u; }',
  'assignments in branches':
    'var r = 1u; var t = a; if (a > b) { r = a; t += 3u; if (x > y) { r ^= 5u; } } else { t = b; } return r + t * 3u;',
  'returns out of nested branches':
    'var r = a; if (a > b) { if (x > y) { return 5u; } r += 3u; } else if (c > 0) { return r; } return r * 7u + 1u;',
  'a loop over known numbers': 'var sum = 0u; for (var i = 0u; i < 7u; i++) { sum += a * i; } return sum;',
  'a loop over uniform numbers':
    'var sum = 0u; let n = input[1] & 7u; for (var i = 0u; i < n; i++) { sum = sum * 3u + i + a; } return sum;',
  'a loop with a number of passes that differs':
    'var sum = 0u; for (var i = 0u; i < (a & 15u); i++) { sum = sum * 3u + i; } return sum;',
  'break and continue that differ':
    'var s = b; for (var i = 0u; i < 20u; i++) { if (((a >> i) & 1u) == 1u) { continue; } s = s * 5u + i; if (s % 7u == 0u) { break; } s ^= 1u; } return s;',
  'break and continue for all at once':
    'var s = b; for (var i = 0u; i < 40u; i++) { if (i % 3u == 0u) { continue; } if (i > (input[0] & 31u)) { break; } s = s * 5u + i; } return s;',
  while:
    'var n = a & 255u; var count = 0u; while (n > 1u) { n = select(n / 2u, (n * 3u + 1u) & 255u, (n & 1u) == 1u); count++; if (count > 30u) { break; } } return count * 256u + n;',
  'loop, continuing, break if':
    'var i = 0u; var s = a; loop { if ((s & 1u) == 1u) { s += 3u; continue; } s = s / 2u + i; continuing { i += 1u; break if i > (b & 7u); } } return s;',
  'a variable that continuing changes, read after the loop':
    'var i = 0u; loop { if (i > 40u) { break; } continuing { i += 1u; break if i > (b & 7u); } } return i;',
  'a condition that changes something': 'var n = a; while (bump(&n)) { if (n == b) { break; } } return n;',
  'a return out of a loop': 'for (var i = 0u; i < 32u; i++) { if (((a >> i) & 1u) == 1u) { return i; } } return 99u;',
  'nested loops':
    'var s = 1u; for (var i = 0u; i < (a & 3u) + 1u; i++) { for (var j = 0u; j < 6u; j++) { if (j == (b & 7u)) { break; } if (((s + j) & 3u) == 2u) { continue; } s = s * 3u + i + j; } if (s > 100000u) { break; } } return s;',
  switch: 'var r = 0u; switch a & 3u { case 0u: { r = b; } case 1u, 2u: { r = a; } default: { r = a ^ b; } } return r;',
  'switch with returns': 'switch c & 3 { case 0: { return 4u; } case 2: { return a; } default: { } } return b;',
  'switch with break, for all at once':
    'var r = b; switch input[1] & 3u { case 0u: { r = 1u; break; } default: { r += 2u; if (input[2] > 9u) { break; } r *= 3u; } case 2u: { r ^= a; } } return r + a;',
  'switch with break in branches that differ':
    'var r = b; switch a & 7u { case 0u, 1u: { r ^= 5u; if (x > y) { r += 3u; break; } r *= 7u; } default: { if (c > 0) { break; } r -= 1u; } case 2u, 3u: { { r = a; break; } } case 4u: { } } return r * 3u;',
  'switch with break and return':
    'var r = b; switch c & 3 { case 0: { if (x > y) { return 4u; } if (a > b) { break; } r = 9u; } case 2, default: { r += 1u; if (y > 1.0) { break; } return r; } case 1: { r = 2u; } } return r ^ a;',
  'break of a switch in a loop, and continue':
    'var s = b; for (var i = 0u; i < 9u; i++) { switch (a >> i) & 3u { case 0u: { if (((b >> i) & 1u) == 1u) { continue; } s ^= i; } case 1u: { if (s > 1000u) { break; } s = s * 5u + 1u; } default: { s += i; if ((s & 7u) == 0u) { break; } if ((s & 7u) == 1u) { continue; } s += 2u; } } s = s * 3u + 1u; } return s;',
  'break of a switch in a loop, and continue, for all at once':
    'var s = a; for (var i = 0u; i < 9u; i++) { switch i % 4u { case 0u: { continue; } case 1u: { s += 1u; break; } case 2u: { if (i > 5u) { break; } if (input[3] < 7u) { continue; } s ^= 9u; } default: { s *= 3u; } } s += i; } return s;',
  'continue after some lanes left a switch':
    'var s = a; for (var i = 0u; i < 6u; i++) { switch i & 1u { case 0u: { if (((b >> i) & 1u) == 1u) { break; } continue; } default: { s += 1u; } } s = s * 3u + i; } return s;',
  'switch in a switch, and a loop in one':
    'var s = b; switch a & 3u { case 0u: { switch b & 1u { case 0u: { s += 1u; break; } default: { s ^= 6u; } } s *= 3u; } case 1u: { for (var i = 0u; i < 5u; i++) { if ((s & 3u) == 3u) { break; } s += i + 1u; } s ^= a; if (s > 99u) { break; } s = 1u; } default: { s = left_by_switch(s); } } return s + 1u;',
  'arrays with known indices': 'var m = array<u32, 3>(a, b, 5u); m[1] += m[0]; return m[0] ^ m[1] ^ m[2];',
  'arrays with indices that differ':
    'var m: array<u32, 9>; for (var i = 0u; i < 9u; i++) { m[(i * 4u + a) % 9u] = i * b; } return m[b % 9u] ^ (m[3] << 1u) ^ m[(a ^ b) % 9u];',
  'small arrays with indices that differ':
    'var m = array<u32, 3>(a, b, 7u); m[a % 3u] += 4u; return m[b % 3u] * 3u + m[0];',
  'arrays written in branches':
    'var m: array<u32, 6>; for (var i = 0u; i < 6u; i++) { if (((a >> i) & 1u) == 1u) { m[i] = b + i; } } return m[0] ^ m[1] ^ m[2] ^ m[3] ^ m[4] ^ m[5] ^ m[a % 6u];',
  'constant arrays with indices that differ': 'return TABLE[a % 6u] + PAIRS[b % 3u].y;',
  'structs and pointers':
    'var p = Pair(a, Inner(x, vec2u(b, 3u))); change(&p, b); change(&p, 2u); return p.n ^ bitcast<u32>(p.inner.x) ^ p.inner.v.y;',
  'pointers to members':
    'var p = Pair(a, Inner(x, vec2u(b, 3u))); bump_by(&p.n, 3u); bump_by(&p.n, a); return p.n ^ p.inner.v.x;',
  'structs from functions':
    'let p = made(a, x); let q = made(b, y); return p.n ^ q.n ^ bitcast<u32>(p.inner.x * q.inner.x) ^ p.inner.v.x;',
  'a long function called twice': 'return long_way(a, b) ^ long_way(b ^ 3u, a);',
  buffers: 'return input[(a % 5u) + 2u] ^ input[3] ^ (input[b % 11u] << 1u);',
  constants: 'return N * 3u + u32(SMALL * 100.0) + u32(FLAG) + select(N, 2u, FLAG) + (a & MASK);',
  'abstract numbers':
    'const third = 1.0 / 3.0; let k = 7; return bitcast<u32>(x * third + 0.5 * (1.0 + 2.0)) ^ u32(k * 3 % 5) ^ (a + 1) ^ u32(1 << 4);',
  'a loop in a function that is called only where the left side holds':
    'let n = a & 7u; return u32(n != 0u && passes(n) > 3u) + 2u * u32(n == 0u || passes_of(n) == 2u);',
  'a loop for all at once in a branch that no lane takes':
    'let u = min(input[1], 0u); var k = 3u; if (a > 5u && u != 0u) { for (var m = u; m != 1u; m -= 1u) { k += 1u; } } return k ^ a;',
  'a loop for all at once after all lanes have returned':
    'let u = min(input[1], 0u); var k = 3u; if (a > 5u || b > 5u || x < 1e9) { if (u == 0u) { return a; } } for (var m = u; m != 1u; m -= 1u) { k += 1u; } return k;',
  ...Object.fromEntries(Object.entries(answers).map(([name, [body]]) => [name, body])),
  'compound assignments':
    'var r = a; r += b; r -= 3u; r *= 5u; r ^= b; r |= 8u; r &= 0xffffff7fu; r <<= 2u; r >>= 1u; r %= 1000003u; r /= 3u; r++; var q = c; q--; return r ^ u32(q);',
};

const names = Object.keys(constructs);
const helpers = `
struct Inner { x: f32, v: vec2u, }
struct Pair { n: u32, inner: Inner, }
fn sqrt(x: f32) -> f32 { return x + 4.0; }
struct Grid { cells: array<array<f32, 2>, 2>, }
const NEST = array(array(1.5, 2), array(3, 4));
const TABLE = array<u32, 6>(3u, 1u, 4u, 1u, 5u, 9u);
const PAIRS = array<vec2u, 3>(vec2u(1u, 2u), vec2u(3u, 4u), vec2u(5u, 6u));
const N: u32 = 5u;
const SMALL = 0.25;
const FLAG: bool = N > 4u;
const HIGH: u32 = 0x80000000 | 1;
const MASK: u32 = (1u << N) - 1u;
fn bump(n: ptr<function, u32>) -> bool {
  *n = *n * 3u + 1u;
  return (*n & 4u) == 0u;
}
fn bump_by(n: ptr<function, u32>, by: u32) { *n += by; }
fn copied(p: ptr<function, u32>, n: i32) {
  for (var i = 0; i < n; i++) { let q = p; let r = q; *r += 6u; }
}
// Of 0 all that a u32 can count.
fn passes(n: u32) -> u32 {
  var m = n;
  var k = 0u;
  loop { m -= 1u; k += 1u; if (m == 0u) { break; } }
  return k;
}
const TURN = mat2x2(0.0, 1.0, -1.0, 0.0);
struct Turning { by: mat2x2f, share: f32, }
fn turned(m: mat2x2f, v: vec2f) -> vec2f { return m * v + transpose(m)[1]; }
fn passes_of(n: u32) -> u32 { return passes(n); }
fn left_by_switch(n: u32) -> u32 {
  switch n & 3u { case 1u: { if (n > 9u) { break; } return 5u; } default: { if (n < 70u) { break; } return n + 2u; } }
  return n * 3u;
}
fn change(p: ptr<function, Pair>, by: u32) {
  if ((*p).n > by) { (*p).n -= by; (*p).inner.x *= 2.0; return; }
  (*p).inner.v.y += by;
}
fn made(n: u32, x: f32) -> Pair {
  if (n > 1000u) { return Pair(n, Inner(x, vec2u(n, 1u))); }
  return Pair(n + 1u, Inner(-x, vec2u(2u)));
}
fn long_way(a: u32, b: u32) -> u32 {
  var s = a;
  var t = b;
  for (var i = 0u; i < 5u + (a & 3u); i++) {
    s = (s ^ (t >> 3u)) * 0x9e3779b1u + i; t = (t << 5u) ^ (s >> 7u) ^ i; s += t * 3u; t ^= s << 2u;
    s = (s ^ (t >> 3u)) * 0x85ebca6bu + i; t = (t << 5u) ^ (s >> 9u) ^ i; s += t * 5u; t ^= s << 4u;
    s = (s ^ (t >> 3u)) * 0xc2b2ae35u + i; t = (t << 5u) ^ (s >> 5u) ^ i; s += t * 7u; t ^= s << 6u;
    if ((s & 15u) == (b & 15u)) { return t; }
  }
  return s ^ t;
}
`;
const rows = 61;
const words = 5;
const code = `${helpers}
${names.map((name, k) => `fn construct_${k}(a: u32, b: u32, c: i32, x: f32, y: f32) -> u32 { ${constructs[name]} }`).join('\n')}
fn kernel(i: u32) {
  let a = input[${words}u * i];
  let b = input[${words}u * i + 1u];
  let c = i32(input[${words}u * i + 2u]);
  let x = bitcast<f32>(input[${words}u * i + 3u]);
  let y = bitcast<f32>(input[${words}u * i + 4u]);
${names.map((_, k) => `  output[i * ${names.length}u + ${k}u] = construct_${k}(a, b, c, x, y);`).join('\n')}
}`;

function inputs(): Uint32Array {
  const given = new Uint32Array(rows * words);
  const floats = new Float32Array(given.buffer);
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
  for (let i = 0; i < rows; i++) {
    given[words * i] = i % 4 === 0 ? next() & 1023 : next();
    given[words * i + 1] = i % 5 === 0 ? next() & 7 : next();
    given[words * i + 2] = i % 7 === 0 ? 2 ** 31 : i % 3 === 0 ? (next() & 63) - 32 : next();
    floats[words * i + 3] = ((next() % 20001) - 10000) / (i % 2 === 0 ? 2 : 997);
    floats[words * i + 4] = i % 6 === 0 ? floats[words * i + 3]! : ((next() % 2001) - 1000) / 4;
  }
  return given;
}

/** Functions of vectors, and those whose last bits WebGPU leaves open. */
const functions: Readonly<Record<string, readonly [code: string, wanted: (x: number, y: number) => number]>> = {
  sin: ['sin(vec2f(y, x)).y', (x) => Math.sin(x)],
  exp: ['exp(vec2f(0.0, x)).y', (x) => Math.exp(x)],
  pow: ['pow(abs(vec3f(x)), vec3f(y)).z', (x, y) => Math.abs(x) ** y],
  atan2: ['atan2(x, y)', (x, y) => Math.atan2(x, y)],
  asinh: ['asinh(x)', (x) => Math.asinh(x)],
  acosh: ['acosh(vec2f(abs(x) + 1.0)).x', (x) => Math.acosh(Math.abs(x) + 1)],
  atanh: ['atanh(x * 0.2)', (x) => Math.atanh(x * 0.2)],
  degrees: ['degrees(x) + radians(y)', (x, y) => (x * 180) / Math.PI + (y * Math.PI) / 180],
  smoothstep: ['smoothstep(-2.0, 3.0, x)', (x) => ((t) => t * t * (3 - 2 * t))(Math.min(Math.max((x + 2) / 5, 0), 1))],
};

const special = [NaN, Infinity, -Infinity, 0, -0, 3.5, -3.5, 3e9, -3e9, 1e-42];
/** Of f32 that are NaN, infinite, tiny or beyond whole numbers; what is not said elsewhere. */
const edges: Readonly<Record<string, (x: number, y: number) => number>> = {
  'x + y': (x, y) => x + y,
  'x * y': (x, y) => x * y,
  'x / y': (x, y) => x / y,
  'min(x, y)': (x, y) => (y < x ? y : x),
  'max(x, y)': (x, y) => (x < y ? y : x),
  'clamp(x, -1.0, y)': (x, y) => ((large) => (y < large ? y : large))(x < -1 ? -1 : x),
  'select(0.0, 1.0, x < y) + select(0.0, 2.0, x == y) + select(0.0, 4.0, x != y)': (x, y) =>
    Number(x < y) + 2 * Number(x === y) + 4 * Number(x !== y),
  'sqrt(x)': Math.sqrt,
  'floor(x) - trunc(x)': (x) => Math.floor(x) - Math.trunc(x),
  'abs(x)': Math.abs,
  'f32(i32(x) / 2)': (x) =>
    0 + Math.trunc(Math.max(Math.min(Number.isNaN(x) ? 0 : Math.trunc(x), 2147483520), -(2 ** 31)) / 2),
  'f32(u32(x) / 2u)': (x) => Math.trunc(Math.max(Math.min(Number.isNaN(x) ? 0 : Math.trunc(x), 4294967040), 0) / 2),
};

const kernel: Kernel = { files: [], code, input: inputs(), outputWords: rows * names.length, invocations: rows };

describe('compiled constructs', () => {
  afterAll(closeKernelDevice);

  it('give the same bits alone as among others', async () => {
    const all = new Uint32Array(await runWasmKernel(kernel));
    const one = new Uint32Array(await runWasmKernel({ ...kernel, invocations: 1, outputWords: names.length }));
    expect([...one]).toEqual([...all.subarray(0, names.length)]);
  });

  it('give what WGSL says, without an adapter', async () => {
    const all = new Uint32Array(await runWasmKernel(kernel));
    const got = Object.keys(answers).map((name) => [name, all[names.indexOf(name)]]);
    expect(got).toEqual(Object.entries(answers).map(([name, [, wanted]]) => [name, wanted]));
  });

  it('give what JavaScript gives of NaN, infinities and zeros with a sign, in lanes and where all are the same', async () => {
    const cases = special.flatMap((x) => special.map((y) => [x, y] as const));
    const code = (read: (word: string) => string) => `fn kernel(i: u32) {
      let x = bitcast<f32>(input[${read('2u * i')}]);
      let y = bitcast<f32>(input[${read('2u * i + 1u')}]);
      ${Object.keys(edges)
        .map((text, k) => `output[i * ${Object.keys(edges).length}u + ${k}u] = bitcast<u32>(${text});`)
        .join('\n')}
    }`;
    const outputs = Object.keys(edges).length;
    const play = async (given: readonly (readonly [number, number])[], text: string): Promise<number[]> => {
      const input = new Uint32Array(Float32Array.from(given.flat()).buffer);
      const sizes = { invocations: given.length, outputWords: given.length * outputs };
      return [...new Float32Array(await runWasmKernel({ files: [], code: text, input, ...sizes }))];
    };
    const wanted = cases.flatMap(([x, y]) =>
      Object.values(edges).map((of) => Math.fround(of(Math.fround(x), Math.fround(y)))),
    );
    expect(
      await play(
        cases,
        code((word) => word),
      ),
    ).toEqual(wanted);
    for (const i of [1, 13, 40, 77]) {
      const alone = await play(
        [cases[i]!],
        code((word) => (word === '2u * i' ? '0u' : '1u')),
      );
      expect(alone).toEqual(wanted.slice(i * outputs, (i + 1) * outputs));
    }
  });

  it('that WebGPU leaves open are near the functions of JavaScript, also of vectors', async () => {
    const outputs = Object.keys(functions).length;
    const code = `fn kernel(i: u32) {
      let x = bitcast<f32>(input[2u * i]);
      let y = bitcast<f32>(input[2u * i + 1u]);
      ${Object.values(functions)
        .map(([text], k) => `output[i * ${outputs}u + ${k}u] = bitcast<u32>(${text});`)
        .join('\n')}
    }`;
    const given = Float32Array.from({ length: 100 }, (_, i) => ((i * 37) % 100) / 11 - 4.6);
    const sizes = { invocations: 50, outputWords: 50 * outputs };
    const input = new Uint32Array(given.buffer);
    const got = new Float32Array(await runWasmKernel({ files: [], code, input, ...sizes }));
    Object.values(functions).forEach(([text, wanted], k) => {
      for (let i = 0; i < 50; i++) {
        const exact = wanted(given[2 * i]!, given[2 * i + 1]!);
        expect(Math.abs(got[i * outputs + k]! - exact), text).toBeLessThan(2e-6 * Math.max(1, Math.abs(exact)));
      }
    });
  });

  describeGpu('on an adapter', () => {
    it('give the same bits', async () => {
      const got = new Uint32Array(await runWasmKernel(kernel));
      const wanted = new Uint32Array(await runKernel(kernel));
      const different = names.filter((_, k) => {
        for (let i = 0; i < rows; i++) if (got[i * names.length + k] !== wanted[i * names.length + k]) return true;
        return false;
      });
      expect(different).toEqual([]);
      expect(new Set(wanted).size).toBeGreaterThan(1000);
    });
  });
});
