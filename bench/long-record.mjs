/**
 * Makes the record of a long run in minutes: a model that answers at once, an episode of at most 20 steps an evaluation.
 * After `npm run build`: `node bench/long-record.mjs ITERATIONS FOLDER [config] [--short]` makes FOLDER/long, a finished run,
 * with which `r2po run --resume`, `replay`, `report`, `verify` and `export` can be measured:
 * `/usr/bin/time -v node dist/cli/main.js replay FOLDER/long`.
 *
 * A prompt shows all trials before it, so the time grows with the square of the iterations. With `--short` every prompt is
 * one word, the time grows linearly, and all but `replay` works with the record. A RAM disk as FOLDER saves the waits for
 * the disk.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

const dist = new URL('../dist/', import.meta.url);
const { resolveConfig } = await import(new URL('config/resolve.js', dist));
const { createRunFolder } = await import(new URL('runs/folder/folder.js', dist));
const { resolveUnits } = await import(new URL('runs/resolve-units.js', dist));
const { executeRun } = await import(new URL('runs/run.js', dist));
const { oneModel } = await import(new URL('runs/models/models.js', dist));
const { plainReply } = await import(new URL('llm/chat.js', dist));
const { openBackend } = await import(new URL('rollout/node/open.js', dist));

const { values: options, positionals } = parseArgs({ options: { short: { type: 'boolean' } }, allowPositionals: true });
const [iterations = '2000', runsDir = 'runs', name = 'cartpole/r2po'] = positionals;
const overrides = [
  `iterations=${iterations}`,
  'warmup.policies=2',
  'evaluation.episodes=1',
  'evaluation.max_steps=20',
  'evaluation.backend=cpu',
  'recheck.episodes=1',
  'model=openai/at-once',
  'prices={openai/at-once: {prompt_per_million: 0, completion_per_million: 0, date: 2026-01-01}}',
];
const { config, yaml } = await resolveConfig(name, overrides);
const units = resolveUnits(config);
const backend = await openBackend('cpu');

let state = 1;
/** xorshift32: different parameters in each reply */
const random = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
};
const { paramCount, values: allowed } = units.policy;
const value = () =>
  allowed.kind === 'choice'
    ? String(allowed.values[Math.floor(random() * allowed.values.length)])
    : (random() * 12 - 6).toFixed(1);
const model = {
  id: 'openai/at-once',
  kind: 'model',
  replyForms: ['lines'],
  async complete() {
    const text = `${Array.from({ length: paramCount }, (_, i) => `params[${i}]: ${value()}`).join(', ')}\nAt once.`;
    const usage = { promptTokens: 1, completionTokens: 1, estimated: false };
    return plainReply({ text, usage, requests: 1, model: 'at-once', answeredBy: 'openai/at-once' });
  },
};

/** Answers without a prompt being made. */
const shortChain = {
  first: model,
  models: [model],
  async answer() {
    const messages = [{ role: 'user', content: 'short' }];
    return { request: { messages, temperature: 0, seed: null, form: 'lines' }, reply: await model.complete() };
  },
};
const models = options.short ? { search: shortChain, critic: shortChain } : oneModel(model);

const folder = createRunFolder({ runsDir, name: 'long' }, { config, yaml, argv: [], now: Date.now() });
const started = performance.now();
await executeRun(
  { ...units, backend, models },
  {
    folder,
    resume: false,
    resumeCommand: '',
    argv: [],
    onProgress({ event }) {
      if (event?.type !== 'iteration' || event.iteration % Math.ceil(Number(iterations) / 10) !== 0) return;
      const seconds = (performance.now() - started) / 1000;
      const megabytes = process.memoryUsage.rss() / 2 ** 20;
      console.log(`${event.iteration} iterations: ${seconds.toFixed(0)} s, ${megabytes.toFixed(0)} MB of memory`);
    },
  },
);
await backend.close();
console.log(folder);
