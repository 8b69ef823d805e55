/**
 * How close the wasm backend comes to what one core can issue: the f32 operations of a step, counted in the shader, times the
 * steps per second, against the additions and products per second of twelve independent chains in vectors of four, compiled
 * by the same compiler. Both by user CPU time on one thread, in turn. Run after "npm run build", in a checkout:
 * node bench/wasm-share.mjs [ENV ...] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { loadCounter, stepOperations } from '../dist/bench/issue-share.js';
import { median, timedCall } from '../dist/bench/timing.js';
import { longPlayingWork } from '../dist/bench/work.js';
import { envs } from '../dist/envs/index.js';
import { findEnv } from '../dist/envs/registry.js';
import { ProgramInstance } from '../dist/rollout/wasm/instance.js';
import { compiledModule } from '../dist/rollout/wasm/module-cache.js';
import { openWasmBackend } from '../dist/rollout/wasm/node/backend.js';
import { link } from '../dist/rollout/webgpu/program/link.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const chains = 12;
const rounds = 8;
const names = Array.from({ length: chains }, (_, i) => `c${i}`);
// Factor and summand come from a buffer, so that nothing is known before, and the sums are stored.
const text = `
struct ChainJob { passes: u32, factor: f32, summand: f32, }
@group(0) @binding(0) var<storage, read> job: ChainJob;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@compute @workgroup_size(1)
fn chained(@builtin(global_invocation_id) id: vec3u) {
  let factor = job.factor + 0.0 * f32(id.x);
  let summand = job.summand + 0.0 * f32(id.x);
${names.map((name, i) => `  var ${name} = f32(id.x) + ${i}.0;`).join('\n')}
  for (var i = 0u; i < job.passes; i++) {
${names
  .flatMap((name) => Array.from({ length: 1 }, () => `    ${name} = ${name} * factor + summand;`))
  .join('\n')
  .concat('\n')
  .repeat(rounds)}
  }
  sums[id.x] = ${names.join(' + ')};
}`;

const userSeconds = () => process.cpuUsage().user / 1e6;
const passes = 500_000;
const program = link([{ path: 'chains', text, declares: ['chained'] }]);
const instance = await ProgramInstance.open(await compiledModule(program, 'chained', async () => {}));

/** f32 operations per second, each lane counted. */
function issueRate() {
  const job = new Uint32Array(3);
  job[0] = passes;
  new Float32Array(job.buffer).set([0.9375, 1], 1);
  const read = instance.place([job, { words: 4 }]);
  const start = userSeconds();
  instance.run(4);
  const seconds = userSeconds() - start;
  if (!(new Float32Array(read(1).slice().buffer)[0] > 0)) throw new Error('the chains were not computed');
  return (4 * passes * rounds * chains * 2) / seconds;
}

const counter = await loadCounter();
const backend = openWasmBackend({ threads: 1 });
const rows = [];
for (let i = 0; i < 3; i++) issueRate();
for (const env of positionals.length > 0 ? positionals.map((name) => findEnv(name)) : envs) {
  const work = await longPlayingWork(env, backend);
  const { operations } = stepOperations(work, counter);
  const call = async (episodes) => {
    const start = userSeconds();
    const { result } = await timedCall(backend, work, episodes);
    return { steps: result.summaries[0].steps, seconds: userSeconds() - start };
  };
  let episodes = 64;
  for (let least = 0; least < 0.15; episodes *= 2) {
    least = Math.min((await call(episodes)).seconds, (await call(episodes)).seconds);
  }
  const [rates, speeds] = [[], []];
  for (let round = 0; round < 7; round++) {
    rates.push(issueRate());
    const { steps, seconds } = await call(episodes);
    speeds.push(steps / seconds);
  }
  const [rate, stepsPerSecond] = [median(rates), median(speeds)];
  const share = (stepsPerSecond * operations) / rate;
  rows.push({ env: env.id, operations, operationsPerSecond: rate, stepsPerSecond, share, load: loadavg()[0] });
  console.log(
    `${env.id.padEnd(28)} ${operations} operations  ${stepsPerSecond.toExponential(2)} steps/s  peak ${rate.toExponential(2)}  share ${(100 * share).toFixed(0)} %`,
  );
}
await backend.close();
const document = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0].model, environments: rows };
if (values.json) writeFileSync(values.json, `${JSON.stringify(document, null, 1)}\n`);
