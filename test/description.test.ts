import { describe, expect, it } from 'vitest';
import { cartpole } from '../src/envs/cartpole/index.ts';
import { describeEnvironment, fillDescription } from '../src/envs/description.ts';
import { envs } from '../src/envs/index.ts';
import { describePolicy } from '../src/policies/description.ts';
import { buildPolicy, policyKinds } from '../src/policies/index.ts';

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

  it('has no heading of its own, which the prompts would take for one of theirs', () => {
    expect(text).not.toMatch(/^#/m);
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

  it('says where a range has no end', () => {
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
