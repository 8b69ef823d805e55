/** The counter behind "share of the issue rate", against functions that can be counted by hand. */

import { describe, expect, it } from 'vitest';
import { readAsset } from '../../src/base/node/assets.ts';
import { issueShare, loadCounter, stepOperations } from '../../src/bench/issue-share.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { policyKinds } from '../../src/policies/index.ts';
import { rolloutProgram } from '../../src/rollout/webgpu/program/programs.ts';

const counter = await loadCounter();
if (counter === null) throw new Error('expected wgsl_reflect, a development dependency; run "npm ci"');
const { operationsOfFunction, operationsOfLoop, weights } = counter;

const counted = (body: string): { operations: number; fused: number } => {
  const { operations, fused } = operationsOfFunction(`fn f(x: f32, v: vec3f, n: u32) -> f32 {\n${body}\n}`, 'f');
  return { operations, fused };
};

describe('operationsOfFunction', () => {
  it('counts a function as by hand', () => {
    const code = `
      fn g(a: vec3f, b: vec3f, t: f32) -> f32 {
        let s = a * t + b;                                // 3 products, 3 sums: 6, fused 3
        let n = dot(s, b);                                // 3 products, 2 sums: 5, fused 3
        let bits = bitcast<u32>(n) >> 3u;                 // a shift: 1
        return select(f32(bits), -n / 2.0, n > 1.0);      // select, conversion, division 2, comparison: 5
      }
      fn f(a: vec3f) -> f32 { return g(a, a.zyx, a.x) - 2.0 * a.y; }  // and a product and a difference: 2, fused 1
    `;
    expect(operationsOfFunction(code, 'g')).toEqual({ operations: 17, fused: 12, unbounded: [] });
    expect(operationsOfFunction(code, 'f')).toEqual({ operations: 19, fused: 13, unbounded: [] });
  });

  it('fuses only f32 sums of which an operand is the product itself', () => {
    expect(counted('return x * x - x;')).toEqual({ operations: 2, fused: 1 });
    expect(counted('var s = x; s += x * x; return s;')).toEqual({ operations: 2, fused: 1 });
    expect(counted('let p = x * x; return p + x;')).toEqual({ operations: 2, fused: 2 });
    expect(counted('return x * x + x * x;')).toEqual({ operations: 3, fused: 2 });
    expect(counted('return f32(n * n + n);')).toEqual({ operations: 3, fused: 3 });
    expect(counted('return (v + x * x).y;')).toEqual({ operations: 4, fused: 4 });
  });

  it.each([1, 7, 40])('counts a loop of %i passes so often', (n) => {
    const loop = (body: string) => counted(`var s = 0.0; for (var i = 0u; i < ${n}u; i++) { ${body} } return s;`);
    expect(loop('s += x * x;')).toEqual({ operations: 2 * n, fused: n });
    expect(loop('for (var k = 3u; k > 0u; k--) { s = x * v[(i + k) % 3u]; }')).toEqual({
      operations: 3 * n,
      fused: 3 * n,
    });
  });

  it('takes the passes of a loop from the constants that the host puts in', () => {
    const code = `
      struct P { other: f32, passes: f32 }
      @group(0) @binding(0) var<storage, read> p: P;
      fn f(x: f32) -> f32 {
        var s = 0.0;
        for (var i = 0u; i < u32(p.passes); i++) {
          s += x * (0.5 * p.other);
        }
        return s;
      }`;
    // A sum, a product, and the loop's own sum and comparison; what is made of constants moves out of the loop.
    const known = { fields: { p: [9, 5] } };
    expect(operationsOfFunction(code, 'f', known)).toEqual({ operations: 20, fused: 15, unbounded: [] });
    // Without them one pass is counted, and the line is told.
    expect(operationsOfFunction(code, 'f')).toEqual({ operations: 4, fused: 3, unbounded: [6] });
  });

  it('takes the dearer of two ways, and only the one that a constant leaves', () => {
    expect(counted('if (x > 0.0) { return x * x * x; } return x * x;').operations).toBe(3);
    expect(counted('if (x > 0.0) { return x * x; } return x * x * x * x;').operations).toBe(4);
    expect(
      counted('var y = x; if (x > 0.0) { y = y + x; } else if (x > 1.0) { y = sqrt(y); } return y;').operations,
    ).toBe(4);
    expect(counted('const t = 3u; if (t == 2u) { return x * x; } return x;').operations).toBe(0);
  });

  it('has a weight with a reason for all it counts, and refuses what it has none for', () => {
    for (const { names, count, reason } of weights) {
      expect(count, names.join()).toBeGreaterThanOrEqual(0);
      expect(reason).not.toBe('');
    }
    expect(() => counted('return atan2(x, x);')).toThrow('no weight for "atan2"');
    expect(counted('return clamp(sqrt(x), 0.0, abs(x));').operations).toBe(4);
    expect(counted('return f32(n / 8u + n % 3u + n / n);').operations).toBe(1 + 2 + 12 + 2 + 1);
  });
});

describe('operationsOfLoop', () => {
  it('counts one pass, and what comes before the loop not at all', () => {
    const code = `
      fn f(n: u32, x: f32) -> f32 {
        let half = x * 0.5;
        var s = sqrt(x);
        while (s < x && s > 0.0) {
          s += half * half;
        }
        return s;
      }`;
    // Two comparisons, one "and", the sum; the product is the same in all passes.
    expect(operationsOfLoop(code, 'f')).toEqual({ operations: 4, fused: 4, unbounded: [] });
    expect(() => operationsOfLoop('fn f() {}', 'f')).toThrow('expected a while loop in f');
    expect(() => operationsOfLoop(code, 'g')).toThrow('expected a function "g"');
  });

  it('counts a step of CartPole with a linear policy', () => {
    const env = findEnv('CartPole-v1');
    const policy = policyKinds.find(({ id }) => id === 'linear')!.build(env, {});
    const work = { env, policy, params: new Float64Array(policy.paramCount), maxSteps: null };
    const { operations, fused, unbounded } = stepOperations(work, counter);
    // By hand, the fused count in brackets: the loop's condition and sums 4 [4]; the policy, the score ahead of the first
    // action's of four products and four sums, 8 [5]; the larger output 1 [1]; sine and cosine of a small angle 12 [7];
    // the force 2 [2]; the two accelerations with a division 15 [11]; Euler's step 8 [4]; the limits 3 [3]. Together
    // 53 [37]. The range leaves room for a better shader, not for a part that is counted twice or left out.
    expect(operations).toBeGreaterThanOrEqual(48);
    expect(operations).toBeLessThanOrEqual(60);
    expect(fused).toBeGreaterThanOrEqual(33);
    expect(fused).toBeLessThanOrEqual(42);
    expect(unbounded).toEqual([]);
  });

  it('counts every program; only rejected draws repeat without a bound', () => {
    const repeating = new Set<string>();
    for (const env of envs) {
      for (const kind of policyKinds.filter((k) => k.accepts(env) === null)) {
        const policy = kind.build(env, {});
        const work = { env, policy, params: new Float64Array(policy.paramCount), maxSteps: null };
        const { operations, fused, unbounded } = stepOperations(work, counter);
        expect(fused, `${env.id}, ${kind.id}`).toBeGreaterThan(20);
        expect(operations).toBeGreaterThanOrEqual(fused);
        const lines = rolloutProgram(env, policy, readAsset).code.split('\n');
        for (const line of unbounded) expect(lines[line - 1]).toContain('while (product.x < biased)');
        if (unbounded.length > 0) repeating.add(env.id);
      }
    }
    expect([...repeating]).toEqual(['Nim-v0']);
  });
});

describe('issueShare', () => {
  it('holds the speed by the best clock against the bound', () => {
    const step = { operations: 70, fused: 50, unbounded: [] };
    const rate = { operationsPerSecond: 1e9, clock: 'gpu' as const };
    const timing = { episodes: 10, steps: 1000, meanReturn: 1, wallSeconds: 1e-3, gpuSeconds: 1e-4 };
    expect(issueShare(step, rate, timing)).toMatchObject({ bound: 2e7, stepsPerSecond: 1e7, clock: 'gpu', share: 0.5 });
    const byWall = issueShare(step, rate, { ...timing, gpuSeconds: null });
    expect(byWall).toMatchObject({ bound: 2e7, stepsPerSecond: 1e6, clock: 'wall', share: 0.05 });
  });
});
