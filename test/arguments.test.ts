/** What programs in JavaScript pass by mistake: the exported functions name it. */
import { afterAll, describe, expect, it } from 'vitest';
import type { EvaluateRequest } from '../src/index.ts';
import * as library from '../src/index.ts';

const { buildPolicy, findEnv, UsageError } = library;
const backend = library.openCpuBackend({ threads: 1 });
afterAll(() => backend.close());

const env = findEnv('CartPole-v1');
const request: EvaluateRequest = {
  backend,
  env,
  policy: buildPolicy('linear', env),
  candidates: [new Float64Array(10)],
  episodes: 3,
  seed: 5,
};

async function refusal(call: () => unknown): Promise<string> {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  return (error as Error).message;
}

describe('evaluate', () => {
  it.each<[string, unknown, string]>([
    ['backend', 'cpu', 'expected an open backend, as openBackend gives it as "request.backend", got "cpu"'],
    [
      'env',
      'CartPole-v1',
      'expected an environment, as findEnv or loadEnv gives it as "request.env", got "CartPole-v1"',
    ],
    ['policy', 'linear', 'expected a policy, as buildPolicy gives it as "request.policy", got "linear"'],
    ['candidates', undefined, 'expected a list, each entry a list of numbers as "request.candidates", got nothing'],
    [
      'candidates',
      [Array.from('1234567890')],
      'expected a list, each entry a list of numbers as "request.candidates", got [["1","2"',
    ],
    ['episodes', '3', 'expected a number as "request.episodes", got "3"'],
    ['seed', undefined, 'expected a number, or a list, each entry a number as "request.seed", got nothing'],
    ['successThreshold', '475', 'expected a finite number, or null as "request.successThreshold", got "475"'],
    ['successThreshold', Number.NaN, 'expected a finite number, or null as "request.successThreshold", got NaN'],
    ['onProgress', 5, 'expected a function as "request.onProgress", got 5'],
    ['signal', {}, 'expected an AbortSignal as "request.signal", got {}'],
    ['maxStep', 5, 'unknown key in "request" "maxStep"; did you mean "maxSteps"?'],
  ])('names a wrong %s', async (key, value, message) => {
    const given = { ...request, [key]: value } as EvaluateRequest;
    expect(await refusal(() => library.evaluate(given))).toContain(`[evaluate] ${message}`);
  });

  it('names a candidate and an episode that there is not', async () => {
    const result = await library.evaluate(request);
    expect(await refusal(() => result.summary(5))).toBe('[evaluate] expected a candidate in 0 ... 0, got 5');
    expect(await refusal(() => result.trace(0, 'max' as 'best'))).toContain(
      '[trace] unknown pick "max"; did you mean "mean"?',
    );
  });
});

const wrong = library as unknown as Record<string, (...given: unknown[]) => unknown>;
const open = async () => backend;
it.each<[string, unknown[], string]>([
  ['evaluate', [], '[evaluate] expected an object as "request", got nothing'],
  ['findEnv', [5], '[findEnv] expected a text as "name", got 5'],
  ['findEnv', ['CartPole-v1', null], '[findEnv] expected an object as "options", got null'],
  ['loadEnv', [5], 'expected a text as "path", got 5'],
  ['buildPolicy', ['linear'], '[buildPolicy] expected an environment, as findEnv or loadEnv gives it as "env"'],
  ['buildPolicy', [5, env], '[policies] expected a name as the policy kind, got 5; known: linear'],
  ['buildPolicy', ['linear', env, null], '[buildPolicy] expected an object as "options", got null'],
  ['loadPolicy', [undefined, env], '[loadPolicy] expected a text as "source", got nothing'],
  ['findMethod', [5], '[methods] expected a name as the method, got 5'],
  ['readRun', [5], '[readRun] expected a text as "folder", got 5'],
  ['readRuns', [undefined], '[readRuns] expected a text, or a list, each entry a text as "paths", got nothing'],
  ['openRecordedRun', [undefined], '[readRun] expected a text as "folder", got nothing'],
  ['replayRun', [undefined, backend], '[replayRun] expected a run, as openRecordedRun gives it as "run", got nothing'],
  ['verifyRun', ['x'], '[verifyRun] expected an object with the function "open" as "options", got nothing'],
  ['verifyRun', [5, { open }], '[verifyRun] expected a text as "folder", got 5'],
  ['compareBackends', [], '[compareBackends] expected an object as "request", got nothing'],
  ['compareBackends', [{ env }], '[compareBackends] expected a policy, as buildPolicy gives it as "request.policy"'],
])('%s refuses a wrong argument: case %#', async (name, given, message) => {
  expect(await refusal(() => wrong[name]!(...given))).toContain(message);
});
