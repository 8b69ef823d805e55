/** `search.proposals`: several parameter sets of one search, played together; and that one is what it was before. */
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { ChatModel } from '../../src/llm/chat.ts';
import { gbnfOf, regexOf, schemaOf } from '../../src/llm/reply/forms.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import {
  answerOf,
  eventsOf,
  execute,
  prepareRun,
  type SmallRun,
  scriptedModel,
  searchEvents,
  smallRun,
  timeless,
} from '../support/experiment.ts';

const settings = ['iterations=2', 'warmup.policies=2', 'evaluation.episodes=3', 'recheck.episodes=20'];
const several = (by: string, more: readonly string[] = []): SmallRun => ({
  settings,
  overrides: ['search.proposals=3', `search.proposals_by=${by}`, ...more],
});
const asked = (first: number) => Array.from({ length: 10 }, (_, i) => (i === 0 ? first : i / 10));
const linesOf = (...firsts: readonly number[]) =>
  firsts.map((first) => answerOf(asked(first)).split('\n')[0]).join('\n');

describe.each(['call', 'calls'])('three proposals by %s', (by) => {
  it('end the same wherever the run was broken off, and replay to the last bit', async () => {
    const whole = await smallRun(several(by));
    const types = eventsOf(whole.folder).map(({ type }) => type);
    expect(types.filter((type) => type === 'llm_call')).toHaveLength(2 * ((by === 'call' ? 1 : 3) + 1));
    // Three proposals and a revision in each iteration.
    expect(whole.summary.episodes).toBe(2 + 2 * 4 * 3);
    expect(whole.summary.llm.unusable_replies).toBe(0);
    for (let events = types.indexOf('llm_call') + 1; events <= types.indexOf('iteration') + 1; events++) {
      const onProgress = ({ event }: RunProgress): void => {
        if (event !== null && event.seq + 1 >= events) throw new Error('killed');
      };
      const halted = await prepareRun({ ...several(by), options: { onProgress } });
      await expect(execute(halted).finally(() => halted.backend.close())).rejects.toThrow('killed');
      const rest = await smallRun({ ...several(by), folder: halted.folder });
      expect(timeless(rest.summary)).toEqual(timeless(whole.summary));
      expect(searchEvents(halted.folder)).toEqual(searchEvents(whole.folder));
    }
    const backend = openCpuBackend({ threads: 1 });
    const report = await replayRun(await openRecordedRun(whole.folder), backend).finally(() => backend.close());
    expect(report).toMatchObject({ difference: null, complete: true });
  });
});

describe('proposals of one call', () => {
  it('are all played on common seeds; the best is reviewed, and the others are shown', async () => {
    const model = scriptedModel((_request, call) =>
      call % 2 === 0 ? linesOf(1 + call, 2 + call, 3 + call) : answerOf(asked(-call)),
    );
    const { folder } = await smallRun({ ...several('call'), model });
    const events = eventsOf(folder);
    const generation = events.find((event) => event.type === 'generation')!;
    expect(generation.proposed?.map(({ params }) => params[0])).toEqual([1, 2, 3]);
    const evaluated = events.filter((event) => event.type === 'evaluated');
    expect(evaluated[0]).toMatchObject({ candidate: 'proposal', seed: generation.seed });
    expect(evaluated[0]!.summary.mean).toBe(Math.max(...generation.means));
    const [first, critic, second] = events.flatMap((event) =>
      event.type === 'llm_call' ? [event.request.messages[0]!.content!] : [],
    );
    expect(first).toContain('- parameter sets in the reply: 3');
    expect(first).toContain('Answer with 3 different parameter sets, one a line');
    expect(critic).not.toContain('parameter sets');
    const others = /## Other proposals of this iteration\n.*\n((?:params = .*\n)+)/
      .exec(critic!)![1]!
      .trim()
      .split('\n');
    expect(others).toHaveLength(2);
    expect(second).toMatch(/## Your latest proposals\n.*\n(?:params = .*\n){3}/);
    const [iteration] = events.filter((event) => event.type === 'iteration');
    expect(iteration!.why).toContain('the best of 3)');
  });

  it('are used if there are fewer, without those that come twice, and the next prompt says so', async () => {
    const model = scriptedModel((_request, call) =>
      call % 2 === 0 ? linesOf(1 + call / 10, 1 + call / 10, 4 + call / 10) : answerOf(asked(-3 - call / 10)),
    );
    const { folder } = await smallRun({ ...several('call'), model });
    const events = eventsOf(folder);
    expect(events.filter((event) => event.type === 'generation').map(({ means }) => means.length)).toEqual([2, 2]);
    const prompts = events.flatMap((event) => (event.type === 'llm_call' ? [event.request.messages[0]!.content!] : []));
    expect(prompts[2]).toContain("The last iteration's reply gave 2 new of the 3 parameter sets");
  });
});

describe('proposals of calls at the same time', () => {
  /** A language model that answers when `release` is called, as often as there are calls. */
  function slowModel() {
    let underWay = 0;
    let most = 0;
    const model: ChatModel = {
      ...scriptedModel((_request, call) => answerOf(asked(call / 10))),
      kind: 'model',
    };
    const answer = model.complete.bind(model);
    const slow: ChatModel = {
      ...model,
      async complete(request, options) {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return answer(request, options);
      },
    };
    return { model: slow, most: () => most };
  }

  it('are under way together, are recorded in their order, and each is told of the others', async () => {
    const { model, most } = slowModel();
    const { folder, summary } = await smallRun({ ...several('calls', ['llm.seed=7']), model });
    expect(most()).toBe(3);
    expect(summary.llm.calls).toBe(8);
    const calls = eventsOf(folder).filter((event) => event.type === 'llm_call');
    expect(calls.map(({ purpose }) => purpose).slice(0, 4)).toEqual(['search', 'search', 'search', 'critic']);
    const prompts = calls.map(({ request }) => request.messages[0]!.content!);
    for (const [i, text] of prompts.slice(0, 3).entries()) {
      expect(text).toContain(`This is proposal ${i + 1} of this iteration.`);
      expect(text).toContain('3 proposals are asked for at the same time');
    }
    expect(new Set(calls.map(({ request }) => request.seed)).size).toBe(8);
  });

  it('do not go beyond the budget of calls', async () => {
    const { model } = slowModel();
    let made = 0;
    const counted: ChatModel = {
      ...model,
      complete(...call) {
        made += 1;
        return model.complete(...call);
      },
    };
    const run = await prepareRun({ ...several('calls', ['budget.max_calls=2']), model: counted });
    await expect(execute(run).finally(() => run.backend.close())).rejects.toMatchObject({ exitCode: 5 });
    expect(made).toBe(2);
  });
});

describe('the form of a reply with several sets', () => {
  const shape = {
    count: 2,
    values: { kind: 'real', low: -1, high: 1, decimals: 0 },
    explanationLength: 20,
    sets: 2,
  } as const;

  it('has a line for each in grammars and expressions, and a list in a schema', () => {
    expect(
      new RegExp(`^${regexOf(shape)}$`).test('params[0]: 1, params[1]: 0\nparams[0]: -1, params[1]: 1\nFar apart'),
    ).toBe(true);
    expect(new RegExp(`^${regexOf(shape)}$`).test('params[0]: 1, params[1]: 0\nFar apart')).toBe(false);
    expect(gbnfOf(shape)).toMatch(/^root ::= set set explanation$/m);
    expect(schemaOf(shape, { bounds: true })).toMatchObject({
      properties: { sets: { minItems: 2, maxItems: 2, items: { minItems: 2, items: { type: 'integer' } } } },
      required: ['sets', 'why'],
    });
  });
});

describe('one proposal', () => {
  it('is the same run with and without the setting', async () => {
    const plain = await resolveConfig('cartpole/r2po');
    expect((await resolveConfig('cartpole/r2po', ['search.proposals=1'])).config).toEqual(plain.config);
    expect(Object.keys((plain.config as { search?: object }).search ?? {})).not.toContain('proposals');
    await expect(resolveConfig('cartpole/r2po', ['search.proposals_by=calls'])).rejects.toThrow(
      'search.proposals is 1',
    );
    await expect(resolveConfig('cartpole/r2po', ['search.proposals=0'])).rejects.toThrow('a whole number in 1 ... 64');
  });
});
