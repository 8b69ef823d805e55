/** The networks on the GPU act as their float64 twins do on the same observations. */
import { afterAll, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { observationSize } from '../../src/envs/env.ts';
import { mlp } from '../../src/policies/mlp.ts';
import { type PolicyKind, type PolicyOptions, policyValues } from '../../src/policies/policy.ts';
import { projectedMlp } from '../../src/policies/projected-mlp.ts';
import { randomFeatures } from '../../src/policies/random-features.ts';
import { clipToBox } from '../../src/rollout/cpu/actions.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { describeGpu, hasAdapter } from '../support/gpu.ts';
import { readToyShader, toyEnv } from '../support/toy-env.ts';

const bounds = (value: number) => Array.from({ length: observationSize(toyEnv.observation) }, () => value);

/** `scale`: factor of the parameters, so that sums of many stay off the bounds of the box; left out: 1 */
const cases: readonly { name: string; kind: PolicyKind; options: PolicyOptions; scale?: number }[] = [
  { name: 'few values, in registers', kind: mlp, options: { hidden: [5] } },
  { name: 'one wide layer', kind: mlp, options: { hidden: [64] } },
  { name: 'relu', kind: mlp, options: { hidden: [6], activation: 'relu' } },
  { name: 'two layers, in registers', kind: mlp, options: { hidden: [4, 3] } },
  { name: 'two wide relu layers', kind: mlp, options: { hidden: [33, 64], activation: 'relu' } },
  { name: 'two layers of 256', kind: mlp, options: { hidden: [256, 256] }, scale: 0.2 },
  {
    name: '400 and 300 squashed',
    kind: mlp,
    options: { hidden: [400, 300], activation: 'relu', output: 'tanh' },
    scale: 0.15,
  },
  {
    name: 'squashed, with bounds of the inputs',
    kind: mlp,
    options: { hidden: [5], output: 'tanh', input_low: bounds(-0.4), input_high: bounds(0.3) },
  },
  {
    name: 'squashed behind a limit that most outputs exceed',
    kind: mlp,
    options: { hidden: [6], output: 'tanh', output_limit: 0.25 },
  },
  { name: 'a projection', kind: projectedMlp, options: { hidden: 7, latent: [4, 6], scale: 0.7 } },
  { name: 'random features', kind: randomFeatures, options: { hidden: 9, obs_scale: 2, obs_clip: 1.5 } },
];

/** Sums of up to 400 f32 products, larger than their sum: 2.4e-6 seen. */
const tolerance = 1e-5;

const backend = hasAdapter ? await openWebGpuBackend({ readShader: readToyShader }) : null;
afterAll(() => backend?.close());

describeGpu('a network on the GPU', () => {
  it.each(cases)('acts as on the CPU: $name', async ({ kind, options, scale = 1 }) => {
    const policy = kind.build(toyEnv, options);
    const rng = Generator.from(23);
    const { action } = toyEnv;
    const box = action.kind === 'box' ? action.rows : [];
    const low = Float64Array.from(box, (row) => row.low);
    const high = Float64Array.from(box, (row) => row.high);
    const outputs = new Float64Array(policy.outputCount);
    const wanted = new Float64Array(box.length);
    // Small parameters keep most outputs off the bounds of the box.
    const candidates = Array.from({ length: 12 }, () => policy.sample(rng, 0.35).map((value) => value * scale));
    const seen = new Set<number>();
    for (let c = 0; c < candidates.length; c++) {
      const job = { env: toyEnv, policy, candidates, episodes: 3, seed: 71, maxSteps: null };
      const trace = await backend!.trace(job, c, 2);
      for (const step of trace.steps) {
        policy.act(policyValues(policy, candidates[c]!), Float64Array.from(step.obs), outputs);
        clipToBox(outputs, low, high, wanted);
        step.action.forEach((value, j) => {
          expect(Math.abs(value - wanted[j]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(outputs[j]!)));
          if (value > low[j]! && value < high[j]!) seen.add(value);
        });
      }
    }
    expect(seen.size).toBeGreaterThan(10);
  });
});
