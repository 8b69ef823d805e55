/**
 * Overhead of a search without its model: a run whose model answers immediately, so that all time is spent in r2po, and
 * its memory as the history grows. After `npm run build`:
 * `node --expose-gc bench/overhead.mjs [iterations] [cpu|webgpu] [config]`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const dist = new URL('../dist/', import.meta.url);
const { resolveConfig } = await import(new URL('config/resolve.js', dist));
const { createRunFolder } = await import(new URL('runs/folder/folder.js', dist));
const { resolveUnits } = await import(new URL('runs/resolve-units.js', dist));
const { executeRun } = await import(new URL('runs/run.js', dist));
const { oneModel } = await import(new URL('runs/models/models.js', dist));
const { plainReply } = await import(new URL('llm/chat.js', dist));
const { openBackend } = await import(new URL('rollout/node/open.js', dist));

const [iterations = '1000', backendName = 'cpu', name = 'cartpole/r2po'] = process.argv.slice(2);
const overrides = [`iterations=${iterations}`, 'recheck.episodes=1', `evaluation.backend=${backendName}`];
const { config, yaml } = await resolveConfig(name, overrides);
const units = resolveUnits(config);
const backend = await openBackend(config.evaluation.backend);
const runsDir = mkdtempSync(join(tmpdir(), 'r2po-overhead-'));

let calls = 0;
const { paramCount, values } = units.policy;
const value = (i) =>
  values.kind === 'choice'
    ? values.values[(calls * 7 + i) % values.values.length]
    : ((calls * 13 + i * 7) % 121) / 10 - 6;
const model = {
  id: 'openai/at-once',
  kind: 'model',
  replyForms: ['lines'],
  async complete() {
    calls++;
    const text = `${Array.from({ length: paramCount }, (_, i) => `params[${i}]: ${value(i).toFixed(values.kind === 'choice' ? 0 : 1)}`).join(', ')}\nAt once.`;
    const usage = { promptTokens: 1, completionTokens: 1 };
    return plainReply({ text, usage, latencySeconds: 0, requests: 1, model: 'at-once', finishReason: 'stop' });
  },
};

const times = [];
let last = 0;
const heaps = [];
const folder = createRunFolder({ runsDir, name: null }, { config, yaml, argv: [], now: Date.now() });
const open = { ...units, backend, models: oneModel(model) };
await executeRun(open, {
  folder,
  resume: false,
  resumeCommand: '',
  argv: [],
  onProgress({ event }) {
    if (event?.type !== 'iteration') return;
    const now = performance.now();
    if (last > 0) times.push(now - last);
    if (event.iteration % Math.ceil(Number(iterations) / 5) === 0) {
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      heaps.push({ iteration: event.iteration, heap_mib: heapUsed / 2 ** 20, rss_mib: rss / 2 ** 20 });
    }
    last = performance.now();
  },
});
await backend.close();

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
console.log(`${name}, ${backend.adapter ?? backend.id}: ${calls} calls, ${times.length + 1} iterations`);
console.log(
  `median time of an iteration: ${median(times).toFixed(2)} ms; of the first 100: ${median(times.slice(0, 100)).toFixed(2)} ms`,
);
for (const { iteration, heap_mib, rss_mib } of heaps) {
  console.log(`after ${iteration} iterations: heap ${heap_mib.toFixed(1)} MiB, resident ${rss_mib.toFixed(0)} MiB`);
}
console.log(`record: ${(statSync(join(folder, 'events.jsonl')).size / 2 ** 20).toFixed(1)} MiB`);
rmSync(runsDir, { recursive: true });
