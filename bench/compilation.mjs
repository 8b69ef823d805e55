/**
 * Time in which the first rollout of a process is translated from WGSL to WebAssembly, by environment: the least wall-clock
 * and CPU time of some processes each, in turn. The engine's own compilation of the result comes on top ("engine").
 * Run after "npm run build": node bench/compilation.mjs [ENV ...] [--processes 4] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { readAsset } from '../dist/base/node/assets.js';
import { envs } from '../dist/envs/index.js';
import { findEnv } from '../dist/envs/registry.js';
import { policyKinds } from '../dist/policies/index.js';
import { compileProgram } from '../dist/rollout/wasm/compile/program.js';
import { compileModule } from '../dist/rollout/wasm/instance.js';
import { ProgramCache } from '../dist/rollout/webgpu/program/program-cache.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    processes: { type: 'string', default: '4' },
    json: { type: 'string' },
    one: { type: 'boolean', default: false },
  },
});

async function measured(env) {
  const policy = policyKinds.find((kind) => kind.accepts(env) === null).build(env, {});
  const linked = new ProgramCache(readAsset).rollout(env, policy, 'nothing');
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const { bytes } = compileProgram(linked, 'play');
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const before = performance.now();
  await compileModule(bytes);
  return { wall, cpu: (user + system) / 1000, engine: performance.now() - before, bytes: bytes.length };
}

if (values.one) {
  console.log(JSON.stringify(await measured(findEnv(positionals[0]))));
} else {
  const chosen = positionals.length > 0 ? positionals.map((name) => findEnv(name)) : envs;
  const found = new Map(chosen.map(({ id }) => [id, []]));
  for (let i = 0; i < Number(values.processes); i++) {
    for (const [id, calls] of found) {
      const text = execFileSync(process.execPath, [process.argv[1], id, '--one'], { encoding: 'utf8' });
      calls.push(JSON.parse(text));
    }
  }
  const least = (calls, key) => Math.min(...calls.map((one) => one[key]));
  const environments = [...found].map(([env, calls]) => ({
    env,
    wall: least(calls, 'wall'),
    cpu: least(calls, 'cpu'),
    engine: least(calls, 'engine'),
    bytes: calls[0].bytes,
  }));
  for (const { env, wall, cpu, engine, bytes } of environments) {
    const times = `wall ${wall.toFixed(0)} ms  CPU ${cpu.toFixed(0)} ms  engine ${engine.toFixed(0)} ms`;
    console.log(`${env.padEnd(28)} ${times}  ${bytes} bytes`);
  }
  console.log(`load ${loadavg()[0].toFixed(1)}`);
  const document = { date: new Date().toISOString(), node: process.version, cpu: cpus()[0].model, environments };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(document, null, 1)}\n`);
}
