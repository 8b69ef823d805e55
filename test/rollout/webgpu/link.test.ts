import { describe, expect, it } from 'vitest';
import { link, topLevelNames } from '../../../src/rollout/webgpu/program/link.ts';

const a = {
  path: 'shaders/a.wgsl',
  text: '// a\nconst ONE: u32 = 1u;\nfn a_run() -> u32 {\n  let inner = ONE;\n  return inner;\n}\n',
};
const b = { path: 'shaders/b.wgsl', text: 'fn b_run() -> u32 { return a_run(); }\n' };

describe('topLevelNames', () => {
  it('finds every kind of module-scope declaration with its line', () => {
    const text = [
      '/* fn commented_out() {} /* nested */ struct Hidden { x: f32 } */',
      'alias Obs = array<f32, 4>;',
      '@group(0) @binding(0) var<storage, read_write> data: array<f32>;',
      'override SIZE: u32 = 64u;',
      '@compute @workgroup_size(SIZE)',
      'fn main(@builtin(global_invocation_id) id: vec3u) { const local = 1u; var other = local; }',
      'struct S { fn_like: f32, x: f32 } // struct Commented { }',
      'var<private> scratch: u32;',
      'const TABLE = array<u32, 2>(1u, 2u);',
    ].join('\n');
    expect(topLevelNames(text)).toEqual([
      { name: 'Obs', line: 2 },
      { name: 'data', line: 3 },
      { name: 'SIZE', line: 4 },
      { name: 'main', line: 6 },
      { name: 'S', line: 7 },
      { name: 'scratch', line: 8 },
      { name: 'TABLE', line: 9 },
    ]);
  });
});

describe('link', () => {
  it('keeps every line as it is and knows where it came from', () => {
    const program = link([a, b]);
    const lines = program.code.split('\n');
    const at = lines.indexOf('fn b_run() -> u32 { return a_run(); }');
    expect(program.locate(at + 1)).toEqual({ path: 'shaders/b.wgsl', line: 1 });
    expect(program.locate(lines.indexOf('  let inner = ONE;') + 1)).toEqual({ path: 'shaders/a.wgsl', line: 4 });
  });

  it('refuses a name that two files declare, and names both lines', () => {
    const twice = { path: 'shaders/c.wgsl', text: '\n\nfn a_run() -> u32 { return 2u; }\n' };
    expect(() => link([a, twice])).toThrow(
      '[link] shaders/c.wgsl:3: "a_run" is already declared in shaders/a.wgsl:3; rename one of them',
    );
  });

  it('refuses a file that does not declare what its role promises', () => {
    expect(() => link([{ ...b, declares: ['b_run', 'policy_act'] }])).toThrow(
      '[link] shaders/b.wgsl must declare "policy_act"; it declares b_run',
    );
  });
});
