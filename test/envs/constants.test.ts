/** Environments under other constants: what follows from them follows, and what is not physical is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { constantNamed, rangeOf, withConstants } from '../../src/envs/constants.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';

const cartpole = findEnv('CartPole-v1');

describe('a changed constant', () => {
  it('changes what follows from it, and nothing of the environment that it came from', () => {
    const before = { ...cartpole.params };
    const heavy = withConstants(cartpole, { poleMass: 0.3, halfLength: 0.7 }, 'test');
    expect(heavy.params).toMatchObject({ poleMass: 0.3, totalMass: 1.3, poleMassLength: 0.3 * 0.7, gravity: 9.8 });
    expect(heavy.params.forcePerMass).toBe(10 / 1.3);
    expect(heavy.changed).toEqual({ poleMass: 0.3, halfLength: 0.7 });
    expect({ ...cartpole.params }).toEqual(before);
    expect(Object.keys(heavy.params)).toEqual(Object.keys(before));
  });

  it('keeps the options of the environment', () => {
    const env = withConstants(findEnv('Pendulum-v1', { g: 3 }), { mass: 2 }, 'test');
    expect(env.params.torqueGain).toBe(3 / 2);
    expect(env.params.gravity).toBe(3);
  });

  it.each([
    ['masspole', 'poleMass'],
    ['length', 'halfLength'],
    ['pole_mass', 'poleMass'],
    ['tau', 'timeStep'],
    ['gravity', 'gravity'],
  ])('%s is %s, as in the original', (name, key) => {
    expect(constantNamed(cartpole, name, 'test')).toBe(key);
  });

  it.each([
    ['CartPole-v1', 'masspol', 'did you mean "masspole"?'],
    ['CartPole-v1', 'total_mass', 'which follows from cartMass, poleMass; vary those'],
    ['CartPole-v1', 'angleLimit', 'which follows from angleLimitDegrees'],
    ['InvertedPendulum-v5', 'hingeInertia', 'density, poleRadius, poleEndX, poleEndZ'],
    ['Pendulum-v1', 'maxTorque', 'with which its states, actions or map go; vary one of: gravity, mass, length'],
    ['FrozenLake-v1', 'rows', 'that can be varied, got "rows"'],
    ['Nim-v0', 'sticks', 'it has none that can be varied'],
    ['CartPole-v1', 'zzzzzz', 'known: gravity, cartMass'],
    ['CartPole-v1', 'constructor', 'expected a constant of CartPole-v1, got "constructor"'],
  ])('of %s, %s is refused', (env, name, words) => {
    expect(() => constantNamed(findEnv(env), name, 'test')).toThrow(words);
  });

  it.each([
    ['CartPole-v1', { poleMass: 0 }, 'expected a number above 0 as poleMass (kg)'],
    ['CartPole-v1', { cartMass: -1 }, 'expected a number above 0'],
    ['CartPole-v1', { gravity: Number.NaN }, 'got NaN'],
    ['CartPole-v1', { resetLow: 0.06 }, 'expected resetLow up to resetHigh, got 0.06 and 0.05'],
    ['MountainCar-v0', { maxPosition: -1.3 }, 'expected minPosition up to maxPosition'],
    ['FrozenLake-v1', { successRate: 1.5 }, 'expected a number in 0 ... 1'],
    ['InvertedPendulum-v5', { substeps: 1.5 }, 'expected a whole number above 0'],
    ['Pong-v0', { paddleHeight: 700 }, 'paddleLowest, which follows from the constants, to stay at least 0'],
    ['CartPole-v1', { halfLength: 1e-320, poleMass: 1e308, cartMass: 1e308 }, 'a finite totalMass'],
  ])('of %s, %o is refused', (env, values, words) => {
    expect(() => withConstants(findEnv(env), values as Record<string, number>, 'test')).toThrow(words);
  });

  it.each(envs.filter(({ constants }) => 'gravity' in constants).map((env) => ({ id: env.id, env })))(
    '$id: gravity may be absent or turned, and what is not negative may be 0',
    ({ env }) => {
      for (const gravity of [0, -2.5]) expect(withConstants(env, { gravity }, 'test').params.gravity).toBe(gravity);
      const free = Object.keys(env.constants).filter((name) => rangeOf(env.constants[name]!) === 'not negative');
      for (const name of free) expect(withConstants(env, { [name]: 0 }, 'test').params[name]).toBe(0);
    },
  );

  it.each([
    ['a mass, a length and a step of time', ['cartMass', 'poleMass', 'halfLength', 'timeStep'], 'positive'],
    ['a force', ['force'], 'not negative'],
  ])('of CartPole, %s: %s may be %s', (_, names, range) => {
    expect(names.map((name) => rangeOf(cartpole.constants[name]!))).toEqual(names.map(() => range));
  });

  it('a chance that nothing draws is refused', () => {
    expect(() => withConstants(findEnv('FrozenLake-v1', { is_slippery: false }), { successRate: 0.5 }, 'test')).toThrow(
      'that can be varied',
    );
  });

  it.each(envs.map((env) => ({ id: env.id, env })))('$id: unchanged values give the same numbers', ({ env }) => {
    const variable = Object.keys(env.constants).filter((name) => rangeOf(env.constants[name]!) !== 'fixed');
    const same = Object.fromEntries(variable.map((name) => [name, env.params[name]!]));
    expect({ ...withConstants(env, same, 'test').params }).toEqual({ ...env.params });
  });

  it('any number gives finite parameters or a usage error', () => {
    const chosen = fc.constantFrom(...envs);
    fc.assert(
      fc.property(chosen, fc.nat(), fc.double(), (env, index, value) => {
        const names = Object.keys(env.constants);
        try {
          const { params } = withConstants(env, { [names[index % names.length]!]: value }, 'test');
          expect(Object.values(params).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});
