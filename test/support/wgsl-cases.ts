/** Small texts of WGSL, and whether wasm reads them: bodies of `fn kernel(i: u32)`, and modules with one. */

const helpers = `
struct Pair { a: f32, b: vec2f, }
alias Row = array<f32, 3>;
const TABLE = array<u32, 3>(1u, 2u, 3u);
const N = 3u;
fn half(x: f32) -> f32 { return 0.5 * x; }
fn nothing() {}
fn bump(p: ptr<function, u32>) -> u32 { *p += 1u; return *p; }
fn look(p: ptr<function, u32>) -> u32 { return *p; }
fn both(p: ptr<function, u32>, q: ptr<function, u32>) { *p = *q; }
fn read_both(p: ptr<function, u32>, q: ptr<function, u32>) -> u32 { return *p + *q; }
fn through(p: ptr<function, u32>, q: ptr<function, u32>) { both(p, q); }
`;

export const readBodies = [
  // returns, loops, behaviour
  'loop { break; }',
  'loop { if (i > 3u) { break; } }',
  'loop { return; }',
  'for (;;) { break; }',
  'for (var k = 0u; k < 3u; k++) { continue; }',
  'while (true) { }',
  'loop { continuing { break if i > 2u; } }',
  'loop { let k = i; continuing { break if k < 9u; } }',
  'loop { loop { return; } break; }',
  'switch i { case 1u: { return; } default: { } }',
  'switch i { case 1u, 2u: { } case 3, default: { } }',
  'switch i32(i) { case 1: { } case -1: { } default: { break; } }',
  'return; ',
  'if (i > 2u) { return; } else { return; }',
  'return; let x = 1; ',
  'loop { break; let x = 2; }',
  // scopes
  'let x = i; { let x = 2.0; _ = x; }',
  'var k = i; for (var k = 0; k < 3; k++) { let k = 2.0; }',
  'for (var k = 0; k < 3; k++) { let j = k; } let k = 2.0;',
  'let half = 2.0; let y = half;',
  'let x = i; if (x > 1u) { let x = 2.0; _ = x; } else { let x = true; }',
  // operators
  'let x = i == 1u && i != 2u && i < 3u;',
  'let x = (i == 1u && i != 2u) || i < 3u;',
  'let x = (i & 1u) | 2u;',
  'let x = i & 1u & 3u; let y = i | 1u | 3u; let z = i ^ 1u ^ 3u;',
  'let x = (i << 1u) + 2u; let y = i << (1u + 2u);',
  'let x = 1u + i * 2u < 3u + i;',
  'let x = -1 - -2; let y = - - 1.0; let z = !!true; let w = ~~1u;',
  'let x = (i & 1u) == 0u; let y = true | (i > 1u) | false;',
  'let x = i << 31u; let y = 1 << 3; let z = i >> (i + 40u);',
  'let v = vec2f(1.0, 2.0) * 2.0 + 1.0; let w = 2.0 - v; let m = v % 2.0;',
  'let v = vec2f(1.0, 2.0) < vec2f(2.0); let w = v & vec2<bool>(true); let x = v | v; let y = !v; let z = v == w;',
  'let v = vec2u(1u, 2u) << vec2u(3u, i); let w = ~v;',
  'let x = 5 / 2; let y = i / 2u; let z = i % 3u; let w = i / (i - i);',
  'let x = 2147483647; let y = -2147483648; let z = 4294967295u;',
  'let a = 0x7fffffff; let b = 0xffffffffu; let c = 1e10; let d = .5; let e = 5.; let f = 1f; let g = 1e-3f;',
  'let x = TABLE[2]; let y = TABLE[i]; let z = TABLE[N - 1u];',
  'let v = vec2u(i, 9u); let x = v / vec2u(i, 0u); let y = v >> vec2u(i, 40u); let z = TABLE[vec2u(i, 9u).y];',
  'var a: array<u32, 3>; let x = a[i + 9u]; let k = 7; let y = a[k];',
  'let v = vec3f(); let k = 5; var w = v; let y = w[k];',
  'for (var k = 0; k < 9; k++) { var a: array<u32, 3>; a[k] = 1u; let s = 1 << u32(k * 9); }',
  'let k = 99u; let x = i << k; let z = 5u / (k - 99u);',
  // types and values
  'let x: f32 = 1; let y: u32 = 1; let z: vec2f = vec2f(1, 2); let w = vec2f(1, 2.5);',
  'var x = 1; x = 2; x += 3; x++; x--; var y = 1u; y++; y <<= 2u; y %= 3u;',
  'var x = 1.0; x += 1; x *= 2.0; x /= 3; var v = vec2f(); v *= 2.0; v += v; v.x = 1; v[1] = 2;',
  'var p = Pair(1.0, vec2f()); p.b.x = 3; p.a += 1; let q = p; _ = q.b.yx; p = Pair();',
  'let r = Row(1, 2, 3); let s = Row(); _ = r[1] + s[i];',
  'let a = array(1u, 2u, i); let b = array<f32, 2>(1, 2); let c = array(1, 2.5);',
  'let v = vec4f(vec2f(), 1.0, 2.0); let w = vec4f(v.xyz, 1); let u = vec2i(vec2f(1.5, 2.5)); let t = vec3(1u, 2u, i);',
  'let x = u32(1.5) + u32(true) + u32(i32(2)); let y = bool(i); let z = f32(i); let w = bool(1.5);',
  'const c = 5; const d: u32 = c * 2; let x = array<u32, d>(); const e = vec2f(c); const f = max(c, 3);',
  'let x = half(2); let y = half(half(1.0)); nothing(); half(1.0) + 1.0;'.replace(' half(1.0) + 1.0;', ''),
  'half(1.0); _ = half(1.0);',
  'var n = 1u; let p = &n; *p = 2u; let q = p; *q += 1u; bump(p); _ = bump(&n); let m = *p + n;',
  'var p = Pair(); let q = &p; (*q).a = 1; q.a = 2; let r = &p.b; (*r).x = 2; r.y = 2; let s = &(*q).a; *s = 1;',
  'var a: array<u32, 3>; let p = &a[i]; *p = 2u; let q = &a; (*q)[1] = 2u; q[2] = 1u; bump(&a[0]);',
  'var n = 1u; var m = 2u; both(&n, &m); _ = read_both(&n, &n); through(&n, &m); _ = look(&n) + look(&n);',
  // builtins
  'let x = max(1, 2) + min(3, 4); let y = clamp(i, 1u, 3u); let z = max(vec2f(1), vec2f(2)); let w = abs(-1) + sign(-2);',
  'let x = mix(vec2f(1), vec2f(2), 0.5); let y = mix(1.0, 2.0, 0.5); let z = mix(vec2f(1), vec2f(2), vec2f(0.5));',
  'let x = select(1, 2, true); let y = select(vec2f(1), vec2f(2), i > 1u); let z = select(vec2f(), vec2f(), vec2<bool>());',
  'let x = sqrt(2) + pow(2, 0.5) + exp(1) + fma(1, 2, 3.0) + smoothstep(0, 1, 0.5); let y = floor(vec2f(1.5));',
  'let x = dot(vec2u(1, 2), vec2u(i)); let y = length(2.0) + length(vec2f(1)); let z = cross(vec3f(), vec3f(1));',
  'let x = all(vec2<bool>(true)) && any(true); let y = normalize(vec2f(1)); let z = distance(1.0, 2.0);',
  'let x = bitcast<f32>(i) + bitcast<f32>(1); let y = bitcast<vec2u>(vec2f(1)); let n = arrayLength(&input);',
  'let x = countOneBits(i) + firstLeadingBit(i) + countLeadingZeros(3u); let y = saturate(1.5) + fract(2.5) + degrees(1.0);',
  'let max = 3; let x = max + 1;',
  'output[i] = input[i]; output[0] += 1u;',
  '_ = i; _ = vec2f(1);',
  ';;; {} ;',
  'const a = modf(1.5).fract; const b = frexp(3).exp; const c = ldexp(1.5, 3); let d = modf(vec2f(1.5, f32(i))).whole.y + a + c; let e = frexp(f32(i)).exp + b;',
  'const a = extractBits(7u, 1u, 2u); const b = insertBits(1, 2, 0, 3); const c = reverseBits(1u); let d = insertBits(vec2u(i), vec2u(a), i, 2u).x + c; let e = extractBits(b, i, 3u);',
  'let m = mat2x2f(1, 0, 0, 1); let n: mat2x2<f32> = mat2x2<f32>(); var k = mat2x4f(mat2x4f()); k[1] = vec4f(1);',
  'const M = mat2x2(1, 2, 3, 4) * 2; let m = M * vec2f(1); let d = determinant(M) + M[i].y;',
  'if i > 2u { } else if (i > 1u) { } else { }',
  'let größe = 2u; let Δ = größe + i;',
  'const_assert 1 < 2; const_assert(N == 3u);',
  'let x = 0x1.8p3 + 0x.8p0 + 0x1p-2f; const_assert 0x1.8p3 + 0xAp-1f == 17; const_assert 0xf.8 == 15.5;',
  'let x = 1 /* one /* two */ */ + 2;',
];

const kernel = 'fn kernel(i: u32) {}';
const readModules = [
  'fn f(x: f32) -> f32 { if (x > 1.0) { return 1.0; } else { return 2.0; } }',
  'fn f(x: f32) -> f32 { loop { return 1.0; } }',
  'fn f(x: u32) -> f32 { switch x { case 1u: { return 1.0; } default: { return 2.0; } } }',
  'fn f(x: f32) -> f32 { for (;;) { if (x > 1.0) { return 1.0; } } }',
  'fn f(x: f32) -> f32 { return x; let y = 1; }',
  'fn f() -> f32 { return g(); } fn g() -> f32 { return 1; }',
  'struct A { b: B } struct B { x: f32, }',
  'alias A = B; alias B = f32; fn f(x: A) -> B { return x; }',
  'const A = B + 1; const B = 2;',
  'const A: f32 = 2; const B = A * 2; const C = array(1, 2, 3)[1];',
  'override scale: f32 = 2.0; fn f() -> f32 { return scale; }',
  '@id(3) override scale = 2u;',
  'fn f(p: ptr<function, array<f32, 3>>) { (*p)[1] = 2; p[0] = 1; }',
  '@must_use fn f() -> f32 { return 1.0; } fn g() { _ = f(); }',
  'fn max(x: f32) -> f32 { return x; } fn f() -> f32 { return max(1.0); }',
  'const_assert N == 3; const N = 3;',
  'fn f(x: f32, ) -> f32 { return x; }',
  'struct A { x: f32, y: f32 }; fn f(a: A) -> A { var b = a; b.x = 1; return b; }',
  ';',
];
/** What WGSL has and wasm does not read. */
const unreadBodies = [
  'let x = pack2x16float(vec2f());',
  'let x = quantizeToF16(1.5);',
  'var v = vec2f(); v.xy = vec2f(1.0);',
];
const unreadModules = [
  'fn f(x: u32) -> u32 { @diagnostic(off, derivative_uniformity) if (x > 1u) { return 1u; } return x; }',
  'var<private> n: u32;',
  'var<workgroup> n: array<u32, 3>;',
  'var<workgroup> n: atomic<u32>;',
  'struct A { @size(16) x: f32 }',
  'fn f(p: ptr<private, u32>) -> u32 { return *p; }',
  '@group(0) @binding(7) var t: texture_2d<f32>;',
  '@group(0) @binding(7) var<uniform> u: vec4f;',
];

export const ofBody = (body: string): string => `${helpers}fn kernel(i: u32) { ${body} }`;
const ofModule = (text: string): string => `${kernel} ${text}`;

const list = (bodies: readonly string[], modules: readonly string[]): readonly (readonly [string, string])[] => [
  ...bodies.map((body) => [body, ofBody(body)] as const),
  ...modules.map((text) => [text, ofModule(text)] as const),
];

/** Each with the part that it is about, and its whole text. */
export const read = list(readBodies, readModules);
export const unread = list(unreadBodies, unreadModules);
