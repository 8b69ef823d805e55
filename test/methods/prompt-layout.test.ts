/** What the prompts of a whole run have in common at their beginnings, and that no two of them are the same. */
import { describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import type { ChatModel } from '../../src/llm/chat.ts';
import { llmMethods } from '../../src/methods/index.ts';
import { statisticsCritic } from '../../src/methods/prompts/critic.ts';
import { promptMessage } from '../../src/methods/prompts/message.ts';
import { searchPrompt } from '../../src/methods/prompts/search.ts';
import { UnusableError } from '../../src/runs/models/unusable.ts';
import { answerOf, eventsOf, execute, prepareRun, scriptedModel, smallRun } from '../support/experiment.ts';
import { context, summaryOf, traces, trials, vector } from '../support/methods.ts';

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Of all characters of the prompts, the share that begins like the prompt before of the same purpose. */
function sharedPart(prompts: readonly string[]): number {
  const shared = prompts.slice(1).reduce((sum, prompt, i) => sum + commonLength(prompt, prompts[i]!), 0);
  return shared / prompts.reduce((sum, { length }) => sum + length, 0);
}

describe('the prompts of CartPole/r2po with its default settings', async () => {
  const overrides = ['iterations=100', 'warmup.policies=20', 'evaluation.episodes=20', 'recheck.episodes=1'];
  // What a prompt has in common with the one before does not depend on who answers; the offline model takes longer to.
  const rng = Generator.from(41);
  const model = scriptedModel(() => answerOf(Array.from({ length: 10 }, () => rng.integers(-60, 61) / 10)));
  const options = await prepareRun({ config: 'cartpole/r2po', overrides, model });
  await execute(options).finally(() => options.backend.close());
  const calls = eventsOf(options.folder).flatMap((event) => (event.type === 'llm_call' ? [event] : []));
  const promptsOf = (purpose: string) =>
    calls.filter((call) => call.purpose === purpose).map(({ request }) => request.messages[0]!.content);

  it('repeat the beginning of the prompt before', () => {
    expect(sharedPart(promptsOf('search'))).toBeGreaterThan(0.95);
    expect(sharedPart(promptsOf('critic'))).toBeGreaterThan(0.75);
  });

  it('hold at most 200 new tokens for the search from the third iteration on, four characters to each three', () => {
    const searches = promptsOf('search');
    for (const [i, prompt] of searches.entries()) {
      if (i < 2) continue;
      // Digits and signs are a token each for many models: one and a third characters a token here.
      expect((prompt.length - commonLength(prompt, searches[i - 1]!)) / 1.33).toBeLessThan(200);
    }
  });
}, 120_000);

describe('cache breaks', () => {
  it('are the beginnings of later prompts, and all but the last come again', () => {
    const many = Array.from({ length: 57 }, (_, i) => ({ ...trials[i % 2]!, mean: i + 0.5 }));
    const messages = many.map((_, n) => {
      const of = { ...context, trials: many.slice(0, n), iteration: n + 1 };
      return promptMessage(searchPrompt(of));
    });
    for (const [n, { content, cacheBreaks = [] }] of messages.entries()) {
      expect(cacheBreaks.length).toBe(2 + Math.ceil(n / 10));
      expect(cacheBreaks.toSorted((a, b) => a - b)).toEqual(cacheBreaks);
      for (const later of messages.slice(n)) {
        for (const end of cacheBreaks) expect(later.content.slice(0, end)).toBe(content.slice(0, end));
        for (const end of cacheBreaks.slice(0, -1)) expect(later.cacheBreaks).toContain(end);
      }
    }
  });
});

describe.each(llmMethods.map(({ id }) => id))('at temperature 0 %s', (method) => {
  const config = `cartpole/${method}`;
  const overrides = ['llm.temperature=0', 'llm.max_unusable_in_a_row=null', 'search.repair_turns=3'];

  async function requestsOf(model: ChatModel & { readonly requests: readonly unknown[] }, extra: readonly string[]) {
    // A run without one usable reply fails in the end.
    await smallRun({ config, overrides: [...overrides, ...extra], model }).catch((error: unknown) => {
      if (!(error instanceof Error && error.cause instanceof UnusableError)) throw error;
    });
    return model.requests.map((request) => JSON.stringify((request as { messages: unknown }).messages));
  }

  it.each([
    { name: 'the same unusable reply', reply: 'I do not know.' },
    { name: 'the same reply outside the range', reply: answerOf([77, 1, 2, 3, 4, 5, 6, 0, -1, -2]) },
    { name: 'nothing', reply: '' },
    { name: 'the same point', reply: answerOf([5, 1, 2, 3, 4, 5, 6, 0, -1, -2]) },
    { name: 'the same point as JSON', reply: answerOf([5, 1, 2, 3, 4, 5, 6, 0, -1, -2]), form: 'json' as const },
  ])('never asks a model twice alike that always answers $name', async ({ reply, form = 'lines' as const }) => {
    for (const duplicates of ['allow', 'repair']) {
      const model = { ...scriptedModel(() => reply), replyForms: [form] as const };
      const requests = await requestsOf(model, [`search.duplicates=${duplicates}`]);
      expect(requests.length).toBeGreaterThanOrEqual(6);
      expect(new Set(requests).size).toBe(requests.length);
    }
  });

  it('never repeats a prompt to a model whose replies are cut off', async () => {
    const model = scriptedModel(() => '', { finish: 'length' });
    const requests = await requestsOf(model, []);
    expect(new Set(requests).size).toBe(requests.length);
  });
});

it('a thousand search and critic prompts take less than a second of a processor', async () => {
  /** s; what else the machine does makes it longer, never shorter */
  async function seconds(): Promise<number> {
    const many = Array.from({ length: 1020 }, (_, i) => ({ ...trials[i % 2]!, mean: i + 0.5 }));
    const start = process.cpuUsage();
    let length = 0;
    for (let n = 20; n < many.length; n++) {
      const of = { ...context, trials: many.slice(0, n), iteration: n };
      length += promptMessage(searchPrompt(of)).content.length;
      const critic = { ...of, proposal: vector(1), others: [], summary: summaryOf(n), sensitivity: null };
      length += promptMessage(await statisticsCritic({ ...critic, trace: async () => traces.worst })).content.length;
    }
    const { user, system } = process.cpuUsage(start);
    expect(length).toBeGreaterThan(50_000_000);
    return (user + system) / 1e6;
  }
  const taken = [await seconds(), await seconds(), await seconds()];
  expect(Math.min(...taken)).toBeLessThan(1);
});
