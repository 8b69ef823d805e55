/** Every program that we link compiles; what is outside of the subset is refused with its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R2poError } from '../../../src/base/errors.ts';
import { readAsset } from '../../../src/base/node/assets.ts';
import { envs } from '../../../src/envs/index.ts';
import { policyKinds } from '../../../src/policies/index.ts';
import { compileProgram } from '../../../src/rollout/wasm/compile/program.ts';
import { link } from '../../../src/rollout/webgpu/program/link.ts';
import { probeProgram, rolloutProgram, statisticsProgram } from '../../../src/rollout/webgpu/program/programs.ts';
import { diceEnv, readDiceShader } from '../../support/dice-env.ts';
import { linkKernel } from '../../support/wasm-kernel.ts';

const sizes = { files: [], invocations: 5 };
const compileKernel = (code: string) => compileProgram(linkKernel({ ...sizes, code }), 'main');

describe.each(envs.map((env) => ({ env, id: env.id })))('the programs of $id', ({ env }) => {
  it('compile with every policy, for start states and for single transitions', () => {
    const programs = [
      ...policyKinds
        .filter((kind) => kind.accepts(env) === null)
        .map((kind) => ({ entry: 'play', program: rolloutProgram(env, kind.build(env, {}), readAsset) })),
      ...(['resets', 'transitions'] as const).map((entry) => ({ entry, program: probeProgram(env, entry, readAsset) })),
    ];
    for (const { entry, program } of programs) {
      // Checked here, so that users need not wait for it.
      const { bytes } = compileProgram({ ...program, isShipped: false }, entry);
      const { WebAssembly } = globalThis as unknown as { WebAssembly: { validate(bytes: Uint8Array): boolean } };
      expect(WebAssembly.validate(bytes), entry).toBe(true);
      expect(bytes.length).toBeLessThan(100_000);
    }
  });
});

describe('what does not compile', () => {
  it('names the file, the line and the column', () => {
    const path = 'shaders/envs/cartpole.wgsl';
    const env = envs[0]!;
    const read = (asked: string): string =>
      asked === path ? readAsset(asked).replace('let temp = force', 'let temp = forse') : readAsset(asked);
    const lines = readAsset(path).split('\n');
    const line = lines.findIndex((text) => text.includes('let temp = force')) + 1;
    const place = `${path}:${line}:${lines[line - 1]!.indexOf('force + ') + 1}`;
    expect(() => compileProgram(probeProgram(env, 'transitions', read), 'transitions')).toThrow(
      `[wasm] ${place}: expected a name that is declared, got "forse"; did you mean "force"?`,
    );
  });

  it.each([
    [
      'var<workgroup> shared_sum: u32; fn kernel(i: u32) {}',
      /1:1: expected a storage buffer, got "shared_sum" in .*"workgroup"/,
    ],
    [
      'fn kernel(i: u32) { workgroupBarrier(); }',
      /1:21: expected a function that compiles here, got "workgroupBarrier"; use the backend "webgpu"/,
    ],
    ['fn kernel(i: u32) { let m = mat2x2<f32>(); }', /1:\d+: expected a function that compiles here, got "mat2x2"/],
    ['fn kernel(i: u32) { let x = 0x1.8u; }', /1:29: expected a number of WGSL, got 0x1.8u; write it without u/],
    ['fn kernel(i: u32) { const_assert 1 > 2; }', /1:36: expected a constant that is true/],
    ['fn f() -> f32 { } fn kernel(i: u32) {}', /1:1: expected f to return f32 on every way, got one without a return/],
    ['fn f() { let x: u32 = 1.5; } fn kernel(i: u32) {}', /1:23: expected a number that u32 holds, got 1.5/],
    ['fn kernel(i: u32) { loop { } }', /1:21: expected a way out of the loop, got none; add a break/],
    ['fn kernel(i: u32) { let x = i & 1u == 0u; }', /1:36: expected parentheses around "==" beside "&", got none/],
    ['fn kernel(i: u32) { let x = i; let x = 2; }', /1:32: expected another name, got "x" again; rename one of them/],
    ['enable f16; fn kernel(i: u32) {}', /1:1: expected no extension of WGSL, got "enable"; use the backend "webgpu"/],
    ['fn kernel(i: u32) {} enable f16;', /1:22: expected "enable" before all declarations, got it after one; leave it/],
    ['var<private> n: u32; fn kernel(i: u32) {}', /1:1: expected a storage buffer, got "n" .* space "private"/],
    ['struct A { @size(16) x: f32 } fn kernel(i: u32) {}', /1:12: expected a field without attributes, got "@"/],
    ['fn f(p: ptr<storage, u32>) {} fn kernel(i: u32) {}', /1:9: expected a pointer to a variable of a function/],
    ['fn kernel(i: u32) { let x: f16 = 1.0; }', /expected a type that compiles here, got "f16"/],
    ['fn kernel(i: u32) { let x = 1.0h; }', /f16 is not supported/],
    [
      'fn kernel(i: u32) { output[i] = i + 1.5; }',
      /expected a number that u32 holds, got 1.5|expected operands of one type/,
    ],
    ['fn kernel(i: u32) { output[i] = f32(i); }', /expected u32, got f32; convert it/],
    ['fn kernel(i: u32) { input[i] = i; }', /got a buffer that is only read/],
    ['fn kernel(i: u32) { if (i) { } }', /expected a bool, got u32/],
    ['fn kernel(i: u32) { kernel(i); }', /expected no recursion, got a call of "kernel" inside of it/],
    ['struct A { b: B, } struct B { a: A, } fn kernel(i: u32) { var a: A; }', /contains itself/],
    ['const A = B; const B = A; fn kernel(i: u32) { output[i] = A; }', /depends on itself/],
    ['fn kernel(i: u32) { var m: array<u32, 100000>; m[i] = 1u; }', /expected at most \d+ numbers in a variable/],
    ['fn kernel(i: u32) { let x = (i; }', /1:31: expected "\)", got ";"/],
    [`fn kernel(i: u32) { output[i] = ${'('.repeat(5000)}i${')'.repeat(5000)}; }`, /expected at most 100 levels/],
    ['fn kernel(i: u32) { switch i { case 0u: { continue; } default: { } } }', /expected a loop around "continue"/],
    ['fn kernel(i: u32) { switch i { case 0u: { } } }', /1:21: expected one default in the switch, got 0/],
    ['fn kernel(i: u32) { switch f32(i) { default: { } } }', /expected a whole number to switch on, got f32/],
    ['fn kernel(i: u32) { let target = i; }', /1:25: expected a name that WGSL does not reserve, got "target"/],
    ['struct A { filter: f32 } fn kernel(i: u32) {}', /1:12: expected a name that WGSL does not reserve, got "filter"/],
    ['fn kernel(__i: u32) {}', /1:11: expected a name that WGSL does not reserve, got "__i"/],
    ['fn kernel(i: u32) { let x = f32(1 << 62); }', /expected a result that abstract-int holds, got 1 << 62/],
    ['fn kernel(i: u32) { let x = 1 << 64; }', /expected a result that abstract-int holds, got 1 << 64/],
    ['fn kernel(i: u32) { break; }', /expected a loop around "break"/],
    ['/* fn kernel(i: u32) {}', /end of the comment/],
    ['fn kernel(i: u32) { let x = `; }', /got the character/],
  ])('%s', (code, message) => {
    const compile = () =>
      compileProgram(
        link([
          { path: 'kernel', text: code, isForeign: true },
          { path: 'frame', text: frame },
        ]),
        'main',
      );
    expect(compile).toThrow(R2poError);
    expect(compile).toThrow(message);
  });

  it('is an error with a place and never another one, whatever the text', () => {
    const words = readAsset('shaders/lib/pcg64.wgsl').match(/\w+|[^\s\w]/g)!;
    const pieces = fc.oneof(
      fc.constantFrom(...words),
      fc.constantFrom('@', '0x', '1e', '<', '>>', '}', '{', ';', 'ptr', 'mat4x4f'),
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 30 }).map((list) => list.join(' ')),
      // A program with a part taken out or put in.
      fc.tuple(fc.nat(3000), fc.nat(40), fc.array(pieces, { maxLength: 3 })).map(([from, length, list]) => {
        const text = readAsset('shaders/lib/f64.wgsl');
        return text.slice(0, from) + list.join(' ') + text.slice(from + length);
      }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const code = `${text}\nfn kernel(i: u32) { output[i] = i; }\n${frame}`;
        try {
          compileProgram({ code, locate: (line) => ({ path: 'given', line }) }, 'main');
        } catch (error) {
          expect(error).toBeInstanceOf(R2poError);
          expect((error as Error).message).toMatch(/^\[wasm\] given:\d+:\d+: expected/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the program of the statistics, whose invocations wait for one another', () => {
    expect(() => compileProgram(statisticsProgram(readAsset), 'whole')).toThrow(
      /shaders\/statistics.wgsl:\d+:\d+: expected/,
    );
  });
});

const frame = `
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { kernel(id.x); }
`;

describe('compiling', () => {
  it('gives the same bytes each time', () => {
    const code = 'fn kernel(i: u32) { var s = 0u; for (var k = 0u; k < i; k++) { s += input[k]; } output[i] = s; }';
    expect(compileKernel(code).bytes).toEqual(compileKernel(code).bytes);
  });

  it('takes an environment of its user', () => {
    expect(
      compileProgram(probeProgram(diceEnv(), 'transitions', readDiceShader), 'transitions').bytes.length,
    ).toBeGreaterThan(100);
  });
});
