/**
 * Writes the source text of a GPU.js kernel: an environment's statements inside an episode loop, with a policy's scores
 * or with given actions. As text, because what a compiler or a test runner makes of a function need not stay in the part
 * of JavaScript that GPU.js translates.
 */
import type { Env } from '../../envs/env.ts';
import type { Policy } from '../../policies/policy.ts';
import type { KernelEnv } from './kernels/index.ts';

/** Entries that one kernel can return per thread. */
export const returnedEntries = 4;

export type KernelPolicy = Policy & Required<Pick<Policy, 'expressions'>>;

const thread = { episode: 'this.thread.x', candidate: 'this.thread.y' } as const;

/** Numbers of the environment are constants of the kernel. */
const withConstants = (text: string): string => text.replace(/\bp\./g, 'this.constants.');

/** Reads `starts [N][STATE_DIM]` into variables with the names of the state rows. */
function readState(env: Env): string {
  return env.state.map(({ name }, i) => `let ${name} = starts[${thread.episode}][${i}];`).join('\n');
}

function observed(env: KernelEnv): string {
  return env.gpujs.observe.map((entry, i) => `const observed${i} = ${withConstants(entry)};`).join('\n');
}

/** Sets `action` by the policy with the parameters `weights [P][paramCount]`. */
function chosenAction(env: KernelEnv, policy: KernelPolicy): string {
  const entries = env.gpujs.observe.map((_, i) => `observed${i}`);
  const scores = policy
    .expressions(entries, (i) => `weights[${thread.candidate}][${i}]`)
    .map((score, j) => `const score${j} = ${score};`);
  if (env.action.kind === 'box') {
    const { low, high } = env.action.rows[0]!;
    return [...scores, `action = Math.min(Math.max(score0, ${low}), ${high});`].join('\n');
  }
  const others = scores
    .slice(1)
    .map((_, k) => `if (score${k + 1} > best) { best = score${k + 1}; action = ${k + 1}; }`);
  return [...scores, 'action = 0;', 'let best = score0;', ...others].join('\n');
}

/**
 * A kernel that plays from `starts` for at most `limits[episode]` steps and returns these expressions: names of state
 * rows, `observed<i>` of the last state, and `total`, `length`, `ended`, `action`, `reward` of the last step.
 */
export function episodeKernel(env: KernelEnv, policy: KernelPolicy, returning: readonly string[]): string {
  return `function episode(starts, weights, limits) {
    ${readState(env)}
    const limit = limits[${thread.episode}];
    let total = 0;
    let length = 0;
    let ended = 0;
    let action = 0;
    let reward = 0;
    let terminated = 0;
    for (let t = 0; t < limit && ended === 0; t++) {
      ${observed(env)}
      ${chosenAction(env, policy)}
      ${withConstants(env.gpujs.step)}
      total += reward;
      length += 1;
      ended = terminated;
    }
    ${shown(env, returning)}
  }`;
}

/** A kernel that takes one step with `actions [N]` from `starts` and returns these expressions. */
export function stepKernel(env: KernelEnv, returning: readonly string[]): string {
  return `function step(starts, actions) {
    ${readState(env)}
    const action = actions[${thread.episode}];
    let reward = 0;
    let terminated = 0;
    ${withConstants(env.gpujs.step)}
    ${shown(env, returning)}
  }`;
}

function shown(env: KernelEnv, returning: readonly string[]): string {
  const needed = returning.some((entry) => entry.startsWith('observed'));
  const padded = [...returning, ...Array<string>(returnedEntries - returning.length).fill('0')];
  return `${needed ? observed(env) : ''}\nreturn [${padded.join(', ')}];`;
}
