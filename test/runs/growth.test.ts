/** What a long run takes grows with its record, and not with the square of it. */
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { plainReply } from '../../src/llm/chat.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { DriverRun } from '../../src/runs/drivers/driver.ts';
import { asRead } from '../../src/runs/journal/events.ts';
import type { StepBody, StepEvent, StepLog } from '../../src/runs/journal/steps.ts';
import { oneModel } from '../../src/runs/models/models.ts';
import { resolveUnits } from '../../src/runs/resolve-units.ts';

/** A driver's steps in memory: `record` is read, then grows. */
class MemorySteps implements StepLog {
  position = 0;
  readonly record: StepEvent[];

  constructor(record: StepEvent[]) {
    this.record = record;
  }

  upcoming(): StepEvent | null {
    return this.record[this.position] ?? null;
  }

  async next(): Promise<StepEvent | null> {
    return this.record[this.position++] ?? null;
  }

  async append(body: StepBody): Promise<StepEvent> {
    const event = asRead(body, { time: '2026-01-02T03:04:05.000Z', seq: this.record.length }) as StepEvent;
    this.record.push(event);
    return event;
  }
}

const backend = openCpuBackend({ threads: 1 });

/** A run whose model answers without a prompt: building one takes as long as the history is. */
async function runOf(method: string, iterations: number, steps: StepLog): Promise<DriverRun> {
  const overrides = ['evaluation.episodes=1', 'evaluation.max_steps=1', 'recheck.episodes=1', 'warmup.policies=1'];
  const { config } = await resolveConfig(`cartpole/${method}`, [`iterations=${iterations}`, ...overrides]);
  const units = resolveUnits(config);
  let calls = 0;
  const answer = async () => {
    const params = Array.from({ length: units.policy.paramCount }, (_, i) => ((calls + i) % 100) / 10 - 5);
    params[0] = (Math.floor(++calls / 100) % 100) / 10 - 5;
    const text = params.map((value, i) => `params[${i}]: ${value}`).join(', ');
    const usage = { promptTokens: 1, completionTokens: 1, estimated: false };
    const reply = plainReply({ text, usage, requests: 1, model: 'at-once' });
    return { request: { messages: [], temperature: 0, seed: null, form: 'lines' }, reply };
  };
  const models = oneModel({ id: 'at-once', kind: 'model', replyForms: ['lines'], complete: answer as never });
  Object.assign(models.search, { answer });
  return {
    units: { ...units, backend, models },
    steps,
    checkBudget: () => {},
    withinTime: (waiting) => waiting,
    onIteration: async () => {},
  };
}

/** How often a walk over a record reads a parameter of a trial. */
async function readsOf(run: DriverRun, record: readonly StepEvent[]): Promise<number> {
  let reads = 0;
  const counted = (params: readonly number[]): readonly number[] =>
    new Proxy(params, {
      get(target, key) {
        reads += 1;
        return Reflect.get(target, key);
      },
    });
  const steps = new MemorySteps(
    record.map((event) =>
      event.type === 'iteration' && event.trial
        ? { ...event, trial: { ...event.trial, params: counted(event.trial.params) } }
        : event,
    ),
  );
  await run.units.driver.run({ ...run, steps });
  return reads;
}

describe('a resumed run', () => {
  it.each(['r2po', 'actor-second-pass'])('reads the trials of %s so often as there are', async (method) => {
    const live = new MemorySteps([]);
    const long = await runOf(method, 100, live);
    await long.units.driver.run(long);
    const last = live.record.findIndex((event) => event.type === 'iteration' && event.iteration === 25);
    const short = await runOf(method, 25, live);
    const reads = [await readsOf(short, live.record.slice(0, last + 1)), await readsOf(long, live.record)];
    expect(reads[0]).toBeGreaterThan(25);
    // In a walk that compares each reply with all trials it is 16.
    expect(reads[1]! / reads[0]!).toBeLessThan(6);
  });

  it.each(['r2po', 'props'])(
    'of %s takes the parameters that were played from the record, and reads no reply again',
    async (method) => {
      const live = new MemorySteps([]);
      const run = await runOf(method, 10, live);
      await run.units.driver.run(run);
      const record = live.record.map((event) =>
        event.type === 'llm_call' ? { ...event, reply: { ...event.reply, text: '' } } : event,
      );
      const resumed = new MemorySteps(record.slice(0, -1));
      await run.units.driver.run({ ...run, steps: resumed });
      expect(resumed.record).toEqual(record);
    },
  );

  it('reads the replies of a method whose proposals wait for each other', async () => {
    const live = new MemorySteps([]);
    const run = await runOf('pure-search', 10, live);
    await run.units.driver.run(run);
    const resumed = new MemorySteps(live.record.slice(0, -1));
    await run.units.driver.run({ ...run, steps: resumed });
    expect(resumed.record).toEqual(live.record);
  });
});
