/** What every policy kind must do in every pair of spaces that it accepts. */
import { expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { observationSize, type Spaces } from '../../src/envs/env.ts';
import { type PolicyKind, type PolicyOptions, policyValues } from '../../src/policies/policy.ts';

/** The outputs, written as plainly as possible. */
export type ReferencePolicy = (
  params: readonly number[],
  obs: readonly number[],
  spaces: Spaces,
  options: PolicyOptions,
) => number[];

export interface PolicyCase {
  readonly name: string;
  readonly spaces: Spaces;
  readonly options: PolicyOptions;
}

/** `tolerance`: |difference| to the formula relative to max(1, largest output); 0 where sums keep their order. */
export function suiteForPolicy(
  kind: PolicyKind,
  cases: readonly PolicyCase[],
  reference: ReferencePolicy,
  tolerance = 0,
): void {
  it.each(cases)('has a name for each parameter, all different: $name', ({ spaces, options }) => {
    const policy = kind.build(spaces, options);
    expect(policy.kind).toBe(kind.id);
    expect(policy.paramNames.length).toBe(policy.paramCount);
    expect(new Set(policy.paramNames).size).toBe(policy.paramCount);
  });

  it.each(cases)('gives the outputs of the plain formula: $name', ({ spaces, options }) => {
    const policy = kind.build(spaces, options);
    const rng = Generator.from(17);
    const { observation } = spaces;
    const size = observationSize(observation);
    for (let round = 0; round < 20; round++) {
      const params =
        policy.values.kind === 'real'
          ? Float64Array.from({ length: policy.paramCount }, () => rng.uniform(-3, 5))
          : policy.sample(rng, 3).map((value) => value + rng.random());
      const obs = Float64Array.from({ length: size }, () =>
        observation.kind === 'vector' ? rng.uniform(-2, 7) : rng.integers(0, observation.n),
      );
      const before = [params.slice(), obs.slice()];
      const outputs = new Float64Array(policy.outputCount).fill(NaN);
      policy.act(policyValues(policy, params), obs, outputs);
      const wanted = reference(Array.from(params), Array.from(obs), spaces, options);
      const scale = Math.max(1, ...wanted.map(Math.abs));
      expect(outputs.length).toBe(wanted.length);
      wanted.forEach((value, j) => {
        // Written so that a NaN fails.
        expect(Math.abs(outputs[j]! - value) / scale).toBeLessThanOrEqual(tolerance);
      });
      expect([params, obs]).toEqual(before);
    }
  });

  it.each(cases)('draws parameters of the right number and spread from the generator alone: $name', (one) => {
    const policy = kind.build(one.spaces, one.options);
    const draw = (seed: number, spread: number) => policy.sample(Generator.from(seed), spread);
    expect(draw(5, 3).length).toBe(policy.paramCount);
    expect(draw(5, 3)).toEqual(draw(5, 3));
    expect(draw(6, 3)).not.toEqual(draw(5, 3));
    expect(draw(5, 3).every((value) => Number.isFinite(value))).toBe(true);
    const { values } = policy;
    if (values.kind === 'choice') expect(draw(5, 3).every((value) => values.values.includes(value))).toBe(true);
    if (values.kind === 'real') {
      const many = Array.from({ length: 400 }, (_, seed) => Array.from(draw(seed, 3))).flat();
      const deviation = Math.sqrt(many.reduce((sum, value) => sum + value * value, 0) / many.length);
      expect(deviation).toBeGreaterThan(2.7);
      expect(deviation).toBeLessThan(3.3);
    }
  });

  it('refuses an unknown option', () => {
    expect(() => kind.build(cases[0]!.spaces, { noSuchOption: 1 })).toThrow(UsageError);
    expect(() => kind.build(cases[0]!.spaces, { noSuchOption: 1 })).toThrow('noSuchOption');
  });
}
