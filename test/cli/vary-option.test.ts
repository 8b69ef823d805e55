/** `eval --vary`: its texts, its table, its files, and both backends. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { readVariation, variedConstants } from '../../src/cli/vary-option.ts';
import type { Env } from '../../src/envs/env.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { evaluateVariation } from '../../src/evaluation/variation.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { renderChart } from '../../src/report/curves/svg.ts';
import { variationSpec } from '../../src/report/curves/variation-chart.ts';
import { variationDocument, variationRows, variationTable } from '../../src/report/tables/variation.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openBackend } from '../../src/rollout/node/open.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { describeGpu } from '../support/gpu.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

const env = findEnv('CartPole-v1');
/** Its rewards are infinite with a large gravity. */
const brittle: Env = {
  ...env,
  dynamics: {
    ...env.dynamics,
    step(p, state, action, rng, out) {
      env.dynamics.step({ ...p, gravity: 9.8 }, state, action, rng, out);
      if (p.gravity! > 50) out.reward = Infinity;
    },
  },
};
const policy = buildPolicy('linear', env, { bias: true });
const params = Float64Array.from([-0.5, 0.5, -1, 1, -4, 4, -2, 2, 0, 0]);
const varied = variedConstants(env, [readVariation('masspole=0.05..0.2:4'), readVariation('length=0.25,1.5')]);
const variationOn = (backend: Backend, episodes = 40) =>
  evaluateVariation({ backend, env, policy, params, varied, episodes, seed: 17 });

describe('a variation', () => {
  it('has both ends and even steps, or the listed values in order', () => {
    expect(readVariation('masspole=0.1..0.3:5')).toEqual({ name: 'masspole', values: [0.1, 0.15, 0.2, 0.25, 0.3] });
    expect(readVariation('g = -2..2:3')).toEqual({ name: 'g', values: [-2, 0, 2] });
    expect(readVariation('a=3,1,2e-1')).toEqual({ name: 'a', values: [0.2, 1, 3] });
  });

  it.each([
    ['masspole', 'expected a constant and its values'],
    ['masspole=', 'expected a constant and its values'],
    ['=1..2:3', 'expected a constant and its values'],
    ['a=x', 'expected a constant and its values'],
    ['a=1..2', 'the number of values behind the range'],
    ['a=2..1:3', 'which is empty'],
    ['a=1..1:3', 'which is empty'],
    ['a=1..2:0', 'a whole number of values in 2'],
    ['a=1..2:-4', 'a whole number of values in 2'],
    ['a=1..2:2.5', 'a whole number of values in 2'],
    ['a=1..2:', 'a whole number of values in 2'],
    ['a=1..2:99999', 'a whole number of values in 2'],
    ['a=1..x:3', 'numbers around ".."'],
    ['a=0x10..0x20:3', 'numbers around ".."'],
    ['a=1,1', 'different values'],
    ['a=1,', 'expected a constant and its values'],
  ])('%s is refused', (text, words) => {
    expect(() => readVariation(text)).toThrow(words);
  });

  it('of any text is increasing numbers or a usage error', () => {
    const part = fc.oneof(fc.double().map(String), fc.constantFrom('..', ':', '=', ',', 'a', '9', '-'), fc.string());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        try {
          const { values } = readVariation(parts.join(''));
          expect(values.every((value, i) => Number.isFinite(value) && (i === 0 || value >= values[i - 1]!))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });

  it('names each constant once, and few combinations', () => {
    const given = (...texts: string[]) => variedConstants(env, texts.map(readVariation));
    expect(() => given('masspole=1,2', 'poleMass=3,4')).toThrow('expected each constant once, got "poleMass" twice');
    expect(() => given('masspole=1..2:200', 'length=1..2:200')).toThrow('up to 10000 combinations, got 40000');
    expect(() => given('masspole=1', 'length=1', 'gravity=1', 'tau=1')).toThrow('up to 3 constants');
  });
});

describe('a policy under changed constants', () => {
  it('plays the dynamics of the changed environment, on one thread and on several', async () => {
    const [one, many] = [openCpuBackend({ threads: 1 }), openCpuBackend({ threads: 2 })];
    const alone = await variationOn(one, 2000);
    // Enough episodes for the workers, who build the environment themselves.
    const shared = await variationOn(many, 2000);
    expect(shared.points).toEqual(alone.points);
    expect(alone.points.map(({ constants }) => constants)[1]).toEqual({ poleMass: 0.05, halfLength: 1.5 });
    expect(new Set(alone.points.map(({ summary }) => summary!.mean)).size).toBeGreaterThan(1);
    const same = variedConstants(env, [readVariation('masspole=0.1')]);
    const { unchanged, points } = await evaluateVariation({
      ...{ backend: one, env, policy, params, varied: same, episodes: 40, seed: 17 },
    });
    expect(points[0]!.summary).toEqual(unchanged);
    await Promise.all([one.close(), many.close()]);
  });

  it('is a table, rows and pictures of one, two and three constants', async () => {
    const backend = openCpuBackend({ threads: 1 });
    for (const texts of [
      ['length=0.4..0.6:3'],
      ['length=0.5,1', 'tau=0.02'],
      ['length=0.5,1', 'tau=0.02', 'gravity=9,10'],
    ]) {
      const own = variedConstants(env, texts.map(readVariation));
      const variation = await evaluateVariation({ backend, env, policy, params, varied: own, episodes: 5, seed: 1 });
      expect(variationRows(variation).rows).toHaveLength(variation.points.length);
      expect(variationTable(env, variation).note).toContain('Lowest: ');
      expect(await renderChart(variationSpec(env, variation, 'a policy'))).not.toMatch(/NaN|undefined/);
      expect(variationDocument(env, variation).vary[0]).toMatchObject({ constant: 'halfLength', unchanged: 0.5 });
    }
    await backend.close();
  });

  it('that is broken under some says so of each, and has the others', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const [finite, infinite] = [readVariation('gravity=9,100'), readVariation('gravity=100')];
    for (const texts of [[finite], [finite, readVariation('length=0.5,1')], [infinite]]) {
      const own = variedConstants(brittle, texts);
      const given = { backend, env: brittle, policy, params, varied: own, episodes: 5, seed: 1 };
      const variation = await evaluateVariation(given);
      const isBroken = variation.points.map(({ constants }) => constants.gravity === 100);
      expect(variation.points.map(({ summary, broken }) => [summary === null, broken !== null])).toEqual(
        isBroken.map((one) => [one, one]),
      );
      const { rows, note } = variationTable(brittle, variation);
      expect(note).toMatch(
        /Broken: [12] combinations?, as gravity 100 m\/s\^2.*: expected finite returns, got Infinity/,
      );
      expect(JSON.stringify(rows)).toContain('broken');
      expect(JSON.stringify(variationRows(variation).rows)).not.toMatch(/NaN|Infinity|undefined/);
      expect(await renderChart(variationSpec(brittle, variation, 'a policy'))).not.toMatch(/NaN|undefined|Infinity/);
      const { points, lowest } = variationDocument(brittle, variation);
      expect(points.map((point) => 'broken' in point)).toEqual(isBroken);
      expect(lowest === null).toBe(isBroken.every((one) => one));
    }
    await backend.close();
  });

  it('of huge values has an exponent in tables and pictures', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const own = variedConstants(env, [readVariation('timeStep=0.02,1e150')]);
    const variation = await evaluateVariation({ backend, env, policy, params, varied: own, episodes: 5, seed: 1 });
    const { rows } = variationTable(env, variation);
    expect(rows.map(([step]) => step)).toEqual(['0.02', '1e+150']);
    expect(await renderChart(variationSpec(env, variation, 'a policy'))).not.toContain('0'.repeat(40));
    await backend.close();
  });

  it('is refused before it plays when one combination is not physical', async () => {
    const backend = openCpuBackend({ threads: 1 });
    const own = variedConstants(env, [readVariation('masspole=0.1,0')]);
    await expect(
      evaluateVariation({ backend, env, policy, params, varied: own, episodes: 5, seed: 1 }),
    ).rejects.toThrow('[--vary] expected a number above 0 as poleMass (kg) of CartPole-v1, got 0');
    await backend.close();
  });
});

describeGpu('on a GPU', () => {
  it('has the means of the cpu', async () => {
    const [cpu, gpu] = [openCpuBackend({ threads: 1 }), await openBackend('webgpu')];
    const [expected, got] = [await variationOn(cpu), await variationOn(gpu)];
    got.points.forEach(({ summary }, i) => {
      const { mean, stderr } = expected.points[i]!.summary!;
      expect(Math.abs(summary!.mean - mean)).toBeLessThanOrEqual(2 + 0.5 * (stderr ?? 0));
    });
    await Promise.all([cpu.close(), gpu.close()]);
  });
});

describe('r2po eval --vary', () => {
  const path = join(root, 'policy.json');
  writeFileSync(path, JSON.stringify({ kind: 'linear', params: [...params], env: 'CartPole-v1' }));
  const args = ['eval', '--policy', path, '--backend', 'cpu', '--episodes', '10'];

  it('prints one document, and writes rows and a picture', async () => {
    const [csv, png] = [join(root, 'vary.csv'), join(root, 'vary.png')];
    const given = ['--vary', 'masspole=0.05..0.2:3', '--vary', 'length=0.3,0.6', '--csv', csv, '--picture', png];
    const { code, stdout } = await runCli([...args, ...given, '--json']);
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      env: 'CartPole-v1',
      episodes: 10,
      vary: [{ constant: 'poleMass', unit: 'kg' }, {}],
    });
    expect(document.points).toHaveLength(6);
    expect(document.points[5].constants).toEqual({ poleMass: 0.2, halfLength: 0.6 });
    expect(readFileSync(csv, 'utf8').split('\n')).toHaveLength(8);
    expect(existsSync(png)).toBe(true);
  });

  it.each([
    [['--vary', 'mass=1..2:3'], 'expected a constant of CartPole-v1, got "mass"'],
    [['--vary', 'masspole=1..2:3', '--returns', 'x'], 'expected --returns without --vary'],
    [['--vary', 'masspole=1..2:3', '--picture', 'x.gif'], 'expected a name that ends in .svg, .png or .json'],
    [['--picture', 'x.svg'], 'expected --vary with it'],
  ])('%o is refused', async (given, words) => {
    const { code, stderr } = await runCli([...args, ...given]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
