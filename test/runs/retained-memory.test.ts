/** What a search keeps of an iteration that is over are its numbers: no event, no summary, no prompt. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { plainReply } from '../../src/llm/chat.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { Journal } from '../../src/runs/journal/journal.ts';
import { RecordLines } from '../../src/runs/journal/record.ts';
import type { StepBody, StepEvent } from '../../src/runs/journal/steps.ts';
import { RunTotals } from '../../src/runs/journal/totals.ts';
import { oneModel } from '../../src/runs/models/models.ts';
import { resolveUnits } from '../../src/runs/resolve-units.ts';
import { execute, prepareRun, smallRun } from '../support/experiment.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Objects that may be forgotten, by what they are. */
class Watched {
  readonly #references: { readonly name: string; readonly reference: WeakRef<object> }[] = [];

  add(name: string, object: object): void {
    this.#references.push({ name, reference: new WeakRef(object) });
  }

  /** How many there were of each, and those that are still there. */
  async counts(): Promise<{ readonly were: Record<string, number>; readonly are: Record<string, number> }> {
    // A reference that was made in this turn keeps its object until the turn ends.
    await setImmediate();
    gc();
    const were: Record<string, number> = {};
    const are: Record<string, number> = {};
    for (const { name, reference } of this.#references) {
      were[name] = (were[name] ?? 0) + 1;
      if (reference.deref() !== undefined) are[name] = (are[name] ?? 0) + 1;
    }
    return { were, are };
  }
}

it.each(['r2po', 'cma-es'])('%s forgets events, summaries and prompts', async (method) => {
  const few = ['evaluation.episodes=1', 'evaluation.max_steps=2', 'recheck.episodes=1'];
  const length =
    method === 'cma-es' ? ['optimiser.episodes=300'] : ['iterations=30', 'search.history=6', 'warmup.policies=1'];
  const { config } = await resolveConfig(`cartpole/${method}`, [...length, ...few]);
  const units = resolveUnits(config);
  const watched = new Watched();
  let calls = 0;
  const complete = async ({ messages }: { readonly messages: readonly object[] }) => {
    const text = Array.from({ length: units.policy.paramCount }, (_, i) => `params[${i}]: ${(++calls % 97) / 20}`);
    for (const message of messages) watched.add('message', message);
    const usage = { promptTokens: 1, completionTokens: 1, estimated: false };
    return plainReply({ text: text.join(', '), usage, requests: 1, model: 'at-once' });
  };
  const models = oneModel({ id: 'at-once', kind: 'model', replyForms: ['lines'], complete });
  const backend = openCpuBackend({ threads: 1 });
  const lines = new RecordLines('events.jsonl');
  const totals = new RunTotals();
  const steps = {
    next: async () => null,
    upcoming: () => null,
    async append(body: StepBody): Promise<StepEvent> {
      const { event } = lines.make(body, '2026-01-02T03:04:05.000Z');
      totals.add(event);
      if ('iteration' in event && event.iteration <= 15) watched.add(event.type, event);
      if (event.type === 'evaluated' && event.iteration <= 15) watched.add('summary', event.summary);
      return event as StepEvent;
    },
  };
  let counts: Awaited<ReturnType<Watched['counts']>> | null = null;
  await units.driver.run({
    units: { ...units, backend, models },
    steps,
    checkBudget: () => {},
    withinTime: (waiting) => waiting,
    onIteration: async ({ iteration }) => {
      if (iteration === 25) counts = await watched.counts();
    },
  });
  await backend.close();
  expect(totals.rows.length).toBeGreaterThanOrEqual(25);
  expect(counts!.were).toMatchObject({ iteration: 15 });
  expect(counts!.are).toEqual({});
});

it('a resumed run forgets its record once it goes on', async () => {
  const begun = await prepareRun({ overrides: ['budget.max_calls=3'] });
  await expect(execute(begun)).rejects.toThrow('budget');
  const open = vi.spyOn(Journal, 'open');
  const held: number[] = [];
  const onProgress = () => held.push(open.mock.results[0]!.value.log.events.length);
  const { summary } = await smallRun({ folder: begun.folder, options: { onProgress } });
  open.mockRestore();
  expect([summary.status, held.length > 5, Math.max(...held)]).toEqual(['finished', true, 0]);
});
