/**
 * Checks an environment by playing it, as `check_env` does in Gymnasium: start states and episodes depend on the seed
 * alone, numbers lie within the rows, a step draws no more than declared, and the description names everything.
 */
import { R2poError } from '../base/errors.ts';
import { RecordingDraws } from '../base/rng/draws.ts';
import { Generator } from '../base/rng/generator.ts';
import { actionSize, type Env, observationSize, type Row, stateArraySize } from '../envs/env.ts';
import { buildPolicy, policyKinds } from '../policies/index.ts';
import type { Backend } from '../rollout/backend.ts';
import { defaultStepCap, type Trace } from '../rollout/job.ts';

/** each is played by another random policy */
const episodes = 20;
const spread = 3;
/** steps of an episode that are checked one by one */
const maxCheckedSteps = 1000;

/**
 * The problems of `env`, one sentence each; none: an empty list. `cpu` plays in float64; `describe`
 * gives the environment's description.
 */
export async function checkEnvironment(
  env: Env,
  cpu: Backend,
  describe: (env: Env) => string,
  seed = 0,
): Promise<string[]> {
  const starts = startProblems(env, seed);
  // An environment that cannot start cannot be played.
  if (starts.length > 0) return starts;
  const drawing = drawProblems(env, seed);
  if (drawing.length > 0) return drawing;
  return [...descriptionProblems(env, describe), ...(await episodeProblems(env, cpu, seed))];
}

function named(rows: readonly Row[], index: number): string {
  return rows[index]?.name ?? `entry ${index}`;
}

function startProblems(env: Env, seed: number): string[] {
  const { params, dynamics } = env;
  const stateRows = [...env.state, ...env.memory];
  const problems: string[] = [];
  const startFrom = (filling: number, s: number): Float64Array => {
    const state = new Float64Array(stateArraySize(env)).fill(filling);
    dynamics.reset(params, Generator.from(s), state);
    return state;
  };
  for (let s = seed; s < seed + episodes && problems.length === 0; s++) {
    const state = startFrom(Number.NaN, s);
    const again = startFrom(7, s);
    state.forEach((value, i) => {
      const name = named(stateRows, i);
      if (!Number.isFinite(value)) problems.push(`reset with seed ${s}: expected a finite ${name}, got ${value}`);
      else if (value !== again[i]) {
        problems.push(
          `reset with seed ${s}: ${name} is once ${value}, once ${again[i]}: it depends on more than the seed`,
        );
      }
    });
    const observation = new Float64Array(observationSize(env.observation)).fill(Number.NaN);
    dynamics.observe(params, state, observation);
    problems.push(...observationProblems(env, observation, `the start of seed ${s}`));
  }
  return problems;
}

function observationProblems({ observation: space }: Env, seen: ArrayLike<number>, where: string): string[] {
  return Array.from(seen).flatMap((value, i) => {
    if (space.kind === 'discrete') {
      const fits = Number.isInteger(value) && value >= 0 && value < space.n;
      return fits ? [] : [`${where}: expected an observation in 0 ... ${space.n - 1}, got ${value}`];
    }
    const { name, low, high } = space.rows[i]!;
    const fits = value >= low && value <= high;
    return fits ? [] : [`${where}: expected ${name} in ${low} ... ${high}, got ${value}`];
  });
}

/** Steps with random actions, through the dynamics themselves. */
function drawProblems(env: Env, seed: number): string[] {
  const { params, dynamics } = env;
  const rng = Generator.from([seed, 3]);
  const number = new Float64Array(1);
  for (let s = seed; s < seed + episodes; s++) {
    const state = new Float64Array(stateArraySize(env));
    const draws = new RecordingDraws(Generator.from(s));
    dynamics.reset(params, draws, state);
    const out = { reward: 0, terminated: false };
    for (let t = 0; t < Math.min(env.timeLimit ?? maxCheckedSteps, maxCheckedSteps) && !out.terminated; t++) {
      const where = `seed ${s}, step ${t + 1}`;
      const action = randomAction(env, rng);
      draws.values = [];
      out.reward = 0;
      dynamics.step(params, state, Float64Array.from(action), draws, out);
      if (draws.values.length > env.stepDraws) {
        return [`${where}: drew ${draws.values.length} random numbers, and "stepDraws" is ${env.stepDraws}; set it`];
      }
      if (!Number.isFinite(out.reward)) return [`${where}: expected a finite reward, got ${out.reward}`];
      if (typeof out.terminated !== 'boolean') return [`${where}: expected terminated true or false`];
      const broken = state.findIndex((value) => !Number.isFinite(value));
      if (broken !== -1) {
        return [`${where}: expected a finite ${named([...env.state, ...env.memory], broken)}, got ${state[broken]}`];
      }
      if (env.observation.kind === 'vector' || out.terminated) continue;
      // A table plays no episode with a number beyond its states.
      dynamics.observe(params, state, number);
      const problems = observationProblems(env, number, where);
      if (problems.length > 0) return problems;
    }
  }
  return [];
}

/** A random action: one of the numbered ones, or a point in the box that f32 holds. */
export function randomAction({ action }: Env, rng: Generator): number[] {
  if (action.kind === 'discrete') return [rng.integers(0, action.meanings.length)];
  return action.rows.map((row) => Math.fround(rng.uniform(row.low, row.high)));
}

function descriptionProblems(env: Env, describe: (env: Env) => string): string[] {
  let text: string;
  try {
    text = describe(env);
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    return [error.detail];
  }
  const observed = env.observation.kind === 'vector' ? env.observation.rows.map((row) => row.name) : [];
  const acted = env.action.kind === 'box' ? env.action.rows.map((row) => row.name) : env.action.meanings;
  return [...observed, ...acted]
    .filter((name) => !text.includes(name))
    .map((name) => `prompt.md: expected it to name "${name}"; use {{observation}} and {{action}}`);
}

async function episodeProblems(env: Env, cpu: Backend, seed: number): Promise<string[]> {
  const kind = policyKinds.find((k) => k.accepts(env) === null);
  if (!kind) return ['expected spaces in which some policy kind can act; see "r2po list policies"'];
  const policy = buildPolicy(kind.id, env);
  const rng = Generator.from([seed, 4]);
  const problems: string[] = [];
  for (let i = 0; i < episodes && problems.length === 0; i++) {
    const maxSteps = defaultStepCap(env);
    const job = { env, policy, candidates: [policy.sample(rng, spread)], episodes: 1, seed: seed + i, maxSteps };
    const trace = await cpu.trace(job, 0, 0);
    problems.push(...traceProblems(env, trace));
    const again = await cpu.trace(job, 0, 0);
    if (JSON.stringify(again) !== JSON.stringify(trace)) {
      problems.push(
        `seed ${seed + i}: the same policy played two different episodes: a step depends on something outside`,
      );
    }
  }
  return problems;
}

function traceProblems(env: Env, trace: Trace): string[] {
  const where = (t: number) => `seed ${trace.seed}, step ${t + 1}`;
  const problems: string[] = [];
  const [lowest, highest] = env.returnRange;
  if (!(trace.return >= lowest && trace.return <= highest)) {
    problems.push(`seed ${trace.seed}: expected a return in ${lowest} ... ${highest}, got ${trace.return}`);
  }
  for (const [t, step] of trace.steps.entries()) {
    problems.push(...observationProblems(env, step.obs, where(t)));
    if (step.state.length !== env.state.length || step.action.length !== actionSize(env.action)) {
      problems.push(`${where(t)}: expected as many state and action entries as rows`);
    }
    // The first problem is enough: the later steps would repeat it.
    if (problems.length > 0) break;
  }
  return problems;
}
