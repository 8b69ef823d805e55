/**
 * Compiles the CUDA rollouts for one job and runs them: `node run.mjs JOB.json` prints one JSON object (see
 * ../README.md). The environment's constants become constants of the program. `--host` compiles the same source for the
 * CPU instead, to check it where there is no GPU; `--starts N` prints the first N start states in that way.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const headers = { 'CartPole-v1': 'cartpole.h', 'InvertedPendulum-v5': 'inverted_pendulum.h' };
const here = fileURLToPath(new URL('.', import.meta.url));
const source = (name) => join(here, name);

/** If nvcc does not know `native`: code for these GPUs, and PTX that newer GPUs translate. */
const architectures = ['arch=compute_80,code=sm_80', 'arch=compute_90,code=[sm_90,compute_90]'];

class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function run(program, args) {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error?.code === 'ENOENT') throw new Failure(3, `${program} is not installed`);
  if (error) throw error;
  return { status, stdout, stderr };
}

/** The numbers of the environment as C++ constants: in float, and in double for draws. */
function constants(params) {
  const lines = (type) =>
    Object.entries(params).map(([name, value]) => `constexpr ${type} ${name} = ${type}(${value});`);
  return `namespace p {\n${lines('float').join('\n')}\n}\nnamespace exact {\n${lines('double').join('\n')}\n}\n`;
}

/** Compiles into `folder` and returns the path of the program. */
function build(job, folder, host) {
  const program = join(folder, 'rollout');
  const generated = join(folder, 'params.h');
  writeFileSync(generated, constants(job.params));
  const shared = [
    '-O3',
    '-std=c++17',
    '-include',
    generated,
    `-DENVIRONMENT="${headers[job.env]}"`,
    '-I',
    here,
    '-o',
    program,
  ];
  const attempts = host
    ? [['c++', ...shared, '-ffp-contract=off', source('host.cpp')]]
    : [['-arch=native'], architectures.flatMap((name) => ['-gencode', name])].map((target) => [
        'nvcc',
        ...shared,
        ...target,
        '-ftz=true',
        source('rollout.cu'),
      ]);
  let said = '';
  for (const [compiler, ...args] of attempts) {
    const { status, stderr } = run(compiler, args);
    if (status === 0) return program;
    said += stderr;
  }
  throw new Failure(1, `expected the rollouts to compile, got\n${said}`);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { host: { type: 'boolean' }, starts: { type: 'string' } },
  });
  if (positionals.length !== 1) throw new Failure(2, 'expected one job file');
  const job = JSON.parse(readFileSync(positionals[0], 'utf8'));
  if (!(job.env in headers)) throw new Failure(4, `${job.env} is not written in CUDA here`);
  if (job.policy.kind !== 'linear') throw new Failure(1, `expected a linear policy, got ${job.policy.kind}`);
  const folder = mkdtempSync(join(tmpdir(), 'r2po-cuda-'));
  try {
    const program = build(job, folder, values.host || values.starts);
    const args = values.starts
      ? ['starts', values.starts, job.seed]
      : [job.episodes, job.maxSteps, job.seed, job.repeats, ...job.policy.params];
    const { status, stdout, stderr } = run(program, args.map(String));
    if (status !== 0) throw new Failure(status ?? 1, stderr.trim());
    process.stdout.write(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = error.code ?? 1;
}
