/**
 * Compares our backends with other programs that do the same work: `node bench/peers/run.mjs --help`, after
 * `npm run build`. All programs follow one protocol (README.md); peers.mjs lists them.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { describeMachine } from './machine.mjs';
import { isOurs, peers } from './peers.mjs';

const help = `node bench/peers/run.mjs [ENV ...] (default: all environments)
  --episodes N       maximum number of episodes per program (1048576)
  --repeats R        repetitions per program, the median counts (3)
  --seconds-limit S  reduce the episodes of a program whose repetition would take longer (2)
  --only NAME,...    only these programs: ${peers.map(({ name }) => name).join(', ')}
  --json FILE        write all results to FILE
The environment variable PYTHON names the Python interpreter for peers that need one.`;

class WrongUse extends Error {}

const dist = new URL('../../dist/', import.meta.url);
if (!existsSync(dist)) fail('expected the built package in dist, found none; run "npm run build"', 2);
const { UsageError } = await import(new URL('base/errors.js', dist));
const { envs } = await import(new URL('envs/index.js', dist));
const { findEnv } = await import(new URL('envs/registry.js', dist));
const { buildPolicy } = await import(new URL('policies/index.js', dist));
const { openCpuBackend } = await import(new URL('rollout/cpu/node/backend.js', dist));
const { median } = await import(new URL('bench/timing.js', dist));
const { longPlayingWork } = await import(new URL('bench/work.js', dist));

function fail(text, code) {
  console.error(`error: ${text}`);
  process.exit(code);
}

function readOptions(args) {
  const text = (fallback) => ({ type: 'string', default: fallback });
  const options = {
    episodes: text(`${2 ** 20}`),
    repeats: text('3'),
    'seconds-limit': text('2'),
    only: text(peers.map(({ name }) => name).join(',')),
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  };
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const number = (name, fits, what) => {
    const value = Number(values[name]);
    if (!fits(value)) throw new WrongUse(`--${name}: expected ${what}, got "${values[name]}"`);
    return value;
  };
  const whole = (value) => Number.isInteger(value) && value >= 1 && value <= 2 ** 28;
  return {
    help: values.help,
    json: values.json ?? null,
    named: positionals.map((name) => findEnv(name)),
    lines: values.only.split(',').map((name) => {
      const peer = peers.find((one) => one.name === name);
      if (!peer) throw new WrongUse(`--only: expected some of ${peers.map((one) => one.name)}, got "${name}"`);
      return peer;
    }),
    episodes: number('episodes', whole, 'a whole number in 1 ... 2^28'),
    repeats: number('repeats', whole, 'a positive whole number'),
    limit: number('seconds-limit', (value) => value > 0 && Number.isFinite(value), 'seconds'),
  };
}

/** The part of the job that is the same for all peers. */
async function jobOf(env) {
  const file = new URL(`../bare-${env.folder}.mjs`, import.meta.url);
  const backend = openCpuBackend({ threads: availableParallelism() });
  // A hand-written loop has a built-in policy.
  const { policy, params, maxSteps } = existsSync(file)
    ? { policy: buildPolicy('linear', env), params: (await import(file)).policy, maxSteps: null }
    : await longPlayingWork(env, backend);
  await backend.close();
  return {
    env: env.id,
    params: env.params,
    table: env.table,
    policy: { kind: policy.kind, params: [...params] },
    maxSteps: Math.min(maxSteps ?? Infinity, env.timeLimit ?? Infinity),
    seed: 0,
  };
}

/** The reason why a peer has no number; `code` is the exit code of the program. */
class LeftOut extends Error {
  constructor(reason, code) {
    super(reason);
    this.code = code;
  }
}
const missing = 3;
const unknownEnv = 4;

/** One call of a peer. */
async function play({ command, threads }, job, folder) {
  const count = threads === 'all' ? availableParallelism() : 1;
  const file = join(folder, 'job.json');
  writeFileSync(file, JSON.stringify({ ...job, threads: count }));
  const [program, ...args] = command.map((word) => (word === 'JOB' ? file : word));
  // NumPy's matrix products would otherwise use all available threads.
  const single = count === 1 ? { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' } : {};
  const options = { env: { ...process.env, ...single }, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(program, args, options).catch((error) => {
    if (error.code === 'ENOENT') throw new LeftOut(`${program} is missing`, missing);
    // The line of an uncaught error that names it.
    const said = (error.stderr ?? '').trim().split('\n');
    throw new LeftOut(said.findLast((line) => /error/i.test(line)) ?? (said.at(-1) || error.message), error.code);
  });
  return checked(stdout, job);
}

function checked(stdout, job) {
  let played;
  try {
    played = { episodes: job.episodes, kernelSeconds: null, variants: [], ...JSON.parse(stdout) };
  } catch {
    throw new LeftOut(`expected one JSON object, got "${stdout.slice(0, 60).trim()}"`, 1);
  }
  const { steps, seconds, meanReturn, episodes } = played;
  if (!(steps >= episodes && steps <= episodes * job.maxSteps) || !(seconds > 0) || !Number.isFinite(meanReturn)) {
    throw new LeftOut(`steps, seconds or mean return cannot be: ${JSON.stringify({ ...played, variants: [] })}`, 1);
  }
  return played;
}

/** Number of episodes that a peer plays within the limit, found by increasing it. */
async function affordable(peer, job, most, limit, folder) {
  let episodes = Math.min(64, most);
  for (;;) {
    const { seconds } = await play(peer, { ...job, episodes, repeats: 1 }, folder);
    if (seconds > limit / 4 || episodes === most) {
      return Math.max(1, Math.min(most, Math.floor((episodes * limit) / seconds)));
    }
    episodes = Math.min(most, Math.floor(episodes * Math.min(256, limit / 2 / seconds)));
  }
}

/** Plays all peers alternately, so that a busy moment of the machine affects all of them. */
async function compare(env, { lines, episodes: most, repeats, limit }, folder) {
  const job = { ...(await jobOf(env)), secondsLimit: limit };
  const entries = lines.map((peer) => ({ peer, episodes: most, runs: [], out: null }));
  const inPlay = () => entries.filter(({ out }) => out === null);
  const attempt = async (entry, doing, action) => {
    status(`${env.id}, ${entry.peer.title}: ${doing}`);
    try {
      await action();
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error;
      entry.out = error;
    }
  };
  for (const entry of entries.filter(({ peer }) => !peer.once)) {
    await attempt(entry, 'how many episodes', async () => {
      entry.episodes = await affordable(entry.peer, job, most, limit, folder);
    });
  }
  for (const entry of entries.filter(({ peer }) => peer.like !== null)) {
    const twin = inPlay().find(({ peer }) => peer.name === entry.peer.like);
    if (twin) entry.episodes = twin.episodes;
  }
  for (let turn = 0; turn < repeats; turn++) {
    for (const entry of inPlay().filter(({ peer }) => turn === 0 || !peer.once)) {
      const { peer, episodes, runs } = entry;
      await attempt(entry, `turn ${turn + 1} of ${repeats}`, async () => {
        runs.push(await play(peer, { ...job, episodes, repeats: peer.once ? repeats : 1 }, folder));
      });
    }
  }
  status('');
  const leftOut = entries
    .filter(({ out }) => out !== null)
    .map(({ peer: { name, title, against }, out }) => ({ name, title, against, reason: out.message, code: out.code }));
  return { env: env.id, job, lines: withRatios(inPlay().map(summed)), leftOut };
}

const speedOf = ({ steps, seconds }) => steps / seconds;

/** The run with the median speed, and the median of the kernel times. */
function summed({ peer: { name, title, against }, runs }) {
  const speed = median(runs.map(speedOf));
  const kernel = runs.map((run) => run.kernelSeconds).filter((seconds) => seconds !== null);
  const run = runs.find((one) => speedOf(one) === speed);
  const kernelSeconds = kernel.length > 0 ? median(kernel) : null;
  const kernelStepsPerSecond = kernelSeconds === null ? null : run.steps / kernelSeconds;
  return { name, title, against, ...run, stepsPerSecond: speed, kernelSeconds, kernelStepsPerSecond };
}

function withRatios(lines) {
  return lines.map((line) => {
    const own = lines.find(({ name }) => name === line.against);
    return { ...line, ratio: own ? line.stepsPerSecond / own.stepsPerSecond : null };
  });
}

const short = (value) => (value === null ? '' : value.toExponential(2).replace('e+', 'e'));

/** The variants that a peer tried, fastest first, if there is more than one. */
function notable(line) {
  if (line.variants.length < 2) return [];
  const speed = (one) => speedOf({ steps: line.steps, ...one });
  return [...line.variants].sort((a, b) => speed(b) - speed(a)).slice(0, 4);
}

function report({ env, job, lines, leftOut }) {
  const rows = [
    ['by', 'device', 'episodes', 'steps', 'wall s', 'steps/s', 'kernel steps/s', 'ratio to ours', 'mean return'],
    ...lines.flatMap((line) => [
      [
        line.title,
        line.device,
        line.episodes,
        line.steps,
        line.seconds.toPrecision(3),
        short(line.stepsPerSecond),
        short(line.kernelStepsPerSecond),
        line.ratio === null ? '' : `${line.ratio.toPrecision(3)} x ${line.against}`,
        line.meanReturn.toPrecision(6),
      ],
      ...notable(line).map((one) => [
        `- ${one.variant}`,
        '',
        one.episodes ?? line.episodes,
        one.steps ?? line.steps,
        one.seconds.toPrecision(3),
        short(speedOf({ steps: line.steps, ...one })),
        ...['', '', ''],
      ]),
    ]),
  ].map((row) => row.map(String));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const print = (row) =>
    `| ${row.map((text, i) => (i < 2 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  const out = leftOut
    .filter(({ code }) => code !== unknownEnv)
    .map(({ title, reason, code }) => `${code === missing ? 'left out' : 'failed'}: ${title} (${reason})`);
  const strangers = leftOut.filter((line) => !isOurs(line));
  if (lines.every(isOurs) && strangers.length > 0 && strangers.every(({ code }) => code === unknownEnv)) {
    out.push('none of the peers knows it');
  }
  const heading = `\n${env}, ${job.policy.kind} policy, at most ${job.maxSteps} steps\n`;
  return [heading, print(rows[0]), rule, ...rows.slice(1).map(print), '', ...out].join('\n');
}

function status(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main({ named, json, ...options }) {
  const { repeats, limit: secondsLimit } = options;
  const machine = { adapter: null, ...(await describeMachine()) };
  const date = new Date().toISOString();
  const environments = [];
  // After each environment, and once before, so that an unwritable file is reported early.
  const save = () => {
    const all = { date, machine, repeats, secondsLimit, environments };
    if (json !== null) writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
  };
  try {
    save();
  } catch (error) {
    fail(`--json: ${error.message}`, 2);
  }
  const folder = mkdtempSync(join(tmpdir(), 'r2po-peers-'));
  try {
    for (const env of named.length > 0 ? named : envs) {
      const compared = await compare(env, options, folder);
      environments.push(compared);
      machine.adapter ??= compared.lines.find(({ name }) => name === 'webgpu')?.device ?? null;
      console.log(report(compared));
      save();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const facts = Object.entries(machine).filter(([, value]) => value !== null);
  console.log(`\n${facts.map(([name, value]) => `${name}: ${value}`).join('; ')}; ${date.slice(0, 10)}`);
  const failed = ({ code }) => code !== missing && code !== unknownEnv;
  process.exitCode = environments.some(({ leftOut }) => leftOut.some(failed)) ? 1 : 0;
}

let options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  const wrong = error instanceof WrongUse || error instanceof UsageError || /^ERR_PARSE_ARGS/.test(error.code);
  if (!wrong) throw error;
  fail(`${error.message}; see --help`, 2);
}
if (options.help) console.log(help);
else await main(options);
