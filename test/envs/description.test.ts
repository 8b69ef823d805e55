import { describe, expect, it } from 'vitest';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { fillDescription } from '../../src/envs/description.ts';
import { envs } from '../../src/envs/index.ts';
import { describeEnvironment, missingDescription } from '../../src/envs/node/description.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { describePolicy } from '../../src/policies/description.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';

describe.each(envs)('the description of $id', (env) => {
  const text = describeEnvironment(env);

  it('names every observation row with its meaning and unit', () => {
    if (env.observation.kind !== 'vector') return expect(text).toContain(env.observation.meaning);
    env.observation.rows.forEach(({ name, meaning, unit }, i) => {
      expect(text).toContain(`[${i}] ${name}: ${meaning}; unit ${unit};`);
    });
  });

  it('names every action', () => {
    if (env.action.kind === 'discrete') {
      env.action.meanings.forEach((meaning, i) => {
        expect(text).toContain(`- ${i}: ${meaning}`);
      });
    } else {
      for (const { name, unit } of env.action.rows) expect(text).toMatch(new RegExp(`${name}: .*unit ${unit}`));
    }
  });

  it('states the limits that end an episode', () => {
    if (env.timeLimit !== null) expect(text).toContain(String(env.timeLimit));
    expect(text).not.toMatch(/[{}]/);
  });

  it('has no heading, which would look like one of the prompt', () => {
    expect(text).not.toMatch(/^#/m);
  });
});

describe('the descriptions with only the facts of the reference', () => {
  /** What is in the full description and not known to the models of the reference. */
  const untold: Readonly<Record<string, RegExp>> = {
    'CartPole-v1': /gravity|weigh|0\.02|10 N|two steps later|0\.209|12 deg|-0\.05|500|475/,
    'FrozenLake-v1': /FHFH|safest|100/,
    'maze-sample-3x3-v0': /passage|0-1|unchanged|200/,
    'Nim-v0': /1, 5 or 9|opponent takes|same chance|against the rules/,
    'MountainCar-v0': /gravity|0\.0025|0\.001|too weak|0\.5\b|-0\.6|200|-110/,
    'MountainCarContinuous-v0': /gravity|0\.0025|0\.0015|trap|0\.45|999|-1 to 1/,
    'InvertedPendulum-v5': /gravity|gear is|kg|1000|balance/,
    'InvertedDoublePendulum-v5': /gravity|0\.01 x|kg|1000|height of the/,
    'Swimmer-v5': /three|viscos|\blong\b|kg|1000|0\.04/,
    'Pong-v0': /800|600|px|bounce|1000|slope|opponent/,
  };

  it('are there for the environments of the reference and no others', () => {
    const described = envs.filter((env) => missingDescription(env, 'reference') === null).map(({ id }) => id);
    expect(described.sort()).toEqual(Object.keys(untold).sort());
  });

  it.each(Object.entries(untold))('of %s leaves out what it shall', (id, pattern) => {
    const env = findEnv(id);
    const text = describeEnvironment(env, 'reference');
    expect(text).not.toMatch(pattern);
    expect(text).not.toMatch(/[{}]|^#/m);
    expect(text.length).toBeLessThan(describeEnvironment(env).length);
  });

  it('names the goals of the map that is played', () => {
    expect(describeEnvironment(findEnv('frozenlake'), 'reference')).toContain('The goal is cell 15.');
  });
});

describe('filling a description', () => {
  it('writes constants with units, derived numbers bare, and all numbers from the spec', () => {
    const filled = fillDescription(
      '{{constants.poleMass}}, {{ params.angleLimit }}, {{timeLimit}}, {{return.lowest}}',
      cartpole,
    );
    expect(filled).toBe('0.1 kg, 0.20944, 500, 1');
    const heavier = {
      ...cartpole,
      constants: { ...cartpole.constants, poleMass: { value: 0.7, unit: 'kg', source: '' } },
    };
    expect(fillDescription('{{constants.poleMass}}', heavier)).toBe('0.7 kg');
  });

  it('refuses an unknown placeholder and names the known ones', () => {
    expect(() => fillDescription('weighs {{constants.polMass}}', cartpole)).toThrow(
      /\[CartPole-v1\] .*"\{\{constants\.polMass\}\}"; use one of: .*constants\.poleMass/,
    );
  });

  it('marks unbounded ranges', () => {
    const text = fillDescription('{{observation}}', cartpole);
    expect(text).toContain('x: cart position; unit m; -4.8 to 4.8');
    expect(text).toContain('x_dot: cart velocity; unit m/s; unbounded');
  });

  it('names the file when an environment has no description', () => {
    expect(() => describeEnvironment({ ...cartpole, folder: 'no-such-folder' })).toThrow(/no-such-folder\/prompt\.md/);
  });
});

describe('the description of a policy', () => {
  it('names each parameter by index, the form, and the rule for the action', () => {
    const policy = buildPolicy('linear', cartpole);
    const text = describePolicy(policy, cartpole.action);
    const title = policyKinds.find(({ id }) => id === 'linear')?.title;
    expect(text).toContain(title);
    expect(text).toContain('highest score');
    expect(text.match(/^- params\[\d+\]: /gm)).toHaveLength(10);
    policy.paramNames.forEach((name, i) => {
      expect(text).toContain(`- params[${i}]: ${name}`);
    });
  });

  it('says that continuous actions are cut to their range', () => {
    const policy = buildPolicy('linear', cartpole);
    const action = {
      kind: 'box',
      rows: [{ name: 'torque', meaning: 'torque', unit: 'N m', low: -1, high: 1 }],
    } as const;
    expect(describePolicy(policy, action)).toContain('cut to the range');
    expect(describePolicy(policy, action)).not.toContain('highest score');
  });
});
