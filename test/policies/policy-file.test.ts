import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { parseJson } from '../../src/base/json-text.ts';
import { loadPolicy } from '../../src/config/read-policy.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { parsePolicy, policyDocument } from '../../src/policies/policy-file.ts';

const env = findEnv('CartPole-v1');
const params = [0.5, -1, 2, 3.25, -4, 5, 6, 7e-3, 8, -9];

function parse(text: string) {
  return parsePolicy({ name: 'p.json', text }, env);
}

function problem(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('expected a UsageError, got none');
}

const withParams = (values: string) => `{"kind": "linear", "params": [${values}]}`;

describe('policy file', () => {
  it('gives the policy fitted to the environment, and its parameters', () => {
    const { policy, params: loaded, source } = parse(withParams(params.join(', ')));
    expect(source).toBe('p.json');
    expect(policy).toMatchObject({ kind: 'linear', options: { bias: true }, paramCount: 10 });
    expect(loaded).toStrictEqual(Float64Array.from(params));
  });

  it('hands the options to the policy kind', () => {
    const text = `{"kind": "linear", "options": {"bias": false}, "params": [${params.slice(0, 8)}]}`;
    expect(parse(text).policy.paramCount).toBe(8);
  });

  it('loads what policyDocument writes', () => {
    const { policy, params: loaded } = parse(withParams(params.join(',')));
    const text = JSON.stringify(policyDocument(policy, loaded, { env: 'CartPole-v1', env_options: {} }));
    expect(parse(text).params).toStrictEqual(loaded);
  });

  it.each([
    ['no JSON', 'kind: linear', '[policy] p.json:1:1: expected JSON, got "kind: linear"'],
    ['NaN', '{"kind": "linear",\n "params": [1, NaN]}', '[policy] p.json:2:16: expected JSON, got "NaN]}"'],
    ['an empty file', '', '[policy] p.json:1:1: expected JSON, got the end of the text'],
    ['a file that stops early', '{"kind": "linear",\n', '[policy] p.json:2:1: expected JSON, got the end of the text'],
    ['a list', '[1, 2]', '[policy] p.json: expected { "kind": ..., "params": [...] }, got a list'],
    [
      'a slip in a key',
      '{"kind": "linear", "parms": []}',
      '[policy] p.json: unknown key "parms"; did you mean "params"?',
    ],
    [
      'a foreign key',
      '{"kind": "linear", "weights": []}',
      '[policy] p.json: unknown key "weights"; known: kind, params, options, name, env, env_options',
    ],
    ['no kind', '{"params": []}', '[policy] p.json: expected "kind" to be the name of a policy kind, got nothing'],
    ['no params', '{"kind": "linear"}', '[policy] p.json: expected "params" to be a list of numbers, got nothing'],
    [
      'a text among the parameters',
      withParams('1, 2, "3"'),
      '[policy] p.json: expected a finite number (in f32) at params[2], got the string "3"',
    ],
    [
      'null among the parameters',
      withParams('1, null'),
      '[policy] p.json: expected a finite number (in f32) at params[1], got null',
    ],
    [
      'a number that is infinite on the GPU',
      withParams('1, 2, 3, 1e39'),
      '[policy] p.json: expected a finite number (in f32) at params[3], got the number 1e+39',
    ],
    [
      'too few parameters',
      withParams('1, 2, 3'),
      '[policy] p.json: expected 10 params for a linear policy in CartPole-v1, got 3',
    ],
    [
      'an unknown kind',
      '{"kind": "linaer", "params": []}',
      '[policy] p.json: unknown policy kind "linaer"; did you mean "linear"?',
    ],
    [
      'an unknown option',
      '{"kind": "linear", "params": [], "options": {"bais": true}}',
      '[policy] p.json: expected only the option "bias", got "bais"; did you mean "bias"?',
    ],
    [
      'a name that is none',
      '{"kind": "linear", "params": [], "name": " "}',
      '[policy] p.json: expected "name" to be a text of 1 to 200 characters, got the string " "',
    ],
    [
      'options that are no object',
      '{"kind": "linear", "params": [], "options": [1]}',
      '[policy] p.json: expected "options" to be an object, got a list',
    ],
  ])('%s', (_name, text, message) => {
    expect(problem(() => parse(text))).toContain(message);
  });

  it('any text is a policy, or is refused with the name of its file', () => {
    const value = fc.record(
      { kind: fc.oneof(fc.constant('linear'), fc.jsonValue()), params: fc.jsonValue(), options: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      value.map((v) => JSON.stringify(v)),
    );
    fc.assert(
      fc.property(text, (t) => {
        expect(problem(() => parse(t))).toMatch(/^\[policy\] p\.json:/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('loadPolicy', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'r2po-policy-'));
    mkdirSync(join(folder, 'run'));
    mkdirSync(join(folder, 'young'));
    writeFileSync(join(folder, 'run', 'best.json'), withParams(params.join(',')));
    writeFileSync(join(folder, 'other.json'), `\ufeff${withParams(params.map((p) => p + 1).join(','))}`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads a file, and the best policy of a run folder', async () => {
    expect((await loadPolicy(join(folder, 'run'), env)).params[0]).toBe(0.5);
    expect((await loadPolicy(join(folder, 'other.json'), env)).params[0]).toBe(1.5);
  });

  it('names what is missing', async () => {
    await expect(loadPolicy(join(folder, 'no.json'), env)).rejects.toThrow(
      `[policy] expected a policy file or a run folder at "${join(folder, 'no.json')}", cannot read it: file not found`,
    );
    await expect(loadPolicy(join(folder, 'young'), env)).rejects.toThrow(
      `[policy] expected the best policy of a run at "${join(folder, 'young', 'best.json')}", cannot read it: file not found`,
    );
  });
});

describe('parseJson', () => {
  const at = (text: string) => problem(() => parseJson('u', { name: 'f', text }));

  it.each([
    ['{"a": 1,}', 'f:1:9: expected JSON, got "}"'],
    ['[1 2]', 'f:1:4: expected JSON, got "2]"'],
    ['{a: 1}', 'f:1:2: expected JSON, got "a: 1}"'],
    ['{"a" 1}', 'f:1:6: expected JSON, got "1}"'],
    ["['a']", `f:1:2: expected JSON, got "'a']"`],
    ['[\n  01]', 'f:2:4: expected JSON, got "1]"'],
    ['[1] // done', 'f:1:5: expected JSON, got "// done"'],
    ['{"a": [1, {"b": 2]}', 'f:1:18: expected JSON, got "]}"'],
    ['{"a": 1,\n "b": {"a": 2}, "\\u0061": 3}', 'f:2:17: expected each key once, got "\\u0061" again; remove one'],
    ['[{"a": 1}, {"a": {"b": 1, "b": 1}}]', 'f:1:27: expected each key once, got "b" again; remove one'],
    ['"tab\there"', 'f:1:1: expected JSON, got "\\"tab\\there\\""'],
    ['[1,\n2,\n', 'f:3:1: expected JSON, got the end of the text'],
  ])('%j', (text, message) => {
    expect(at(text)).toBe(`[u] ${message}`);
  });

  it('names the place of a character that is nowhere allowed, whatever stands around it', () => {
    const blanks = fc.constantFrom('', ' ', '\n', '\t');
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.nat(), blanks, (values, pick, blank) => {
        const before = values.slice(0, pick % values.length).map((v) => `${JSON.stringify(v)},${blank}`);
        const text = `[${before.join('')}@${JSON.stringify(values)}]`;
        const offset = 1 + before.join('').length;
        const lines = text.slice(0, offset).split('\n');
        expect(at(text)).toContain(`f:${lines.length}:${lines[lines.length - 1]!.length + 1}: expected JSON, got "@`);
      }),
    );
  });
});
