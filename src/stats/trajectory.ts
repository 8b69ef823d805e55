/**
 * One episode as text for a language model: what it was, then one line per step. A long episode is shortened to a token
 * budget by leaving out steps of the middle and saying how many.
 */
import { significant } from '../base/plain-number.ts';
import { estimateTokens } from '../base/tokens.ts';
import type { ActionSpace, Env, ObservationSpace } from '../envs/env.ts';
import type { EndCause, Trace, TraceStep } from '../rollout/backend.ts';

/** Enough to tell states apart; more digits cost tokens and carry no decision. */
const stepDigits = 3;
const returnDigits = 6;

/** `terminated`, `truncated` and `capped` are three different things, and the text must not mix them up. */
const endings: Readonly<Record<EndCause, (length: number) => string>> = {
  terminated: (length) => `terminated: the environment itself ended the episode after step ${length}`,
  truncated: (length) => `truncated: the environment's own limit of ${length} steps was reached`,
  capped: (length) => `capped: our limit of ${length} steps was reached; the environment had not ended the episode`,
};

function observationNames(space: ObservationSpace): string {
  return space.kind === 'vector' ? space.rows.map((row) => row.name).join(', ') : 'state number';
}

function actionNames(space: ActionSpace): string {
  return space.kind === 'box' ? space.rows.map((row) => row.name).join(', ') : 'number of the action';
}

function stepLine(step: TraceStep, t: number): string {
  const list = (values: readonly number[]) => values.map((value) => significant(value, stepDigits)).join(', ');
  return `${t} | ${list(step.obs)} | ${list(step.action)} | ${significant(step.reward, stepDigits)}`;
}

function omission(count: number, first: number): string {
  return count === 1
    ? `... 1 step is left out here (${first})`
    : `... ${count} steps are left out here (${first} to ${first + count - 1})`;
}

function headerOf(trace: Trace, env: Pick<Env, 'observation' | 'action'>): string[] {
  return [
    `return ${significant(trace.return, returnDigits)}, length ${trace.length} steps`,
    `end: ${endings[trace.end](trace.length)}`,
    `step | observation before the step (${observationNames(env.observation)}) | action (${actionNames(env.action)}) | reward`,
  ];
}

/** The steps of an episode as lines; of more than `2 edge` the first and the last `edge`, and how many lie between. */
export function excerptLines(trace: Trace, edge: number): string[] {
  const lines = trace.steps.map((step, i) => stepLine(step, i + 1));
  const omitted = lines.length - 2 * edge;
  return omitted <= 0 ? lines : [...lines.slice(0, edge), omission(omitted, edge + 1), ...lines.slice(-edge)];
}

/** The episode as text with at most `2 edge` of its steps. */
export function excerptText(trace: Trace, env: Pick<Env, 'observation' | 'action'>, edge: number): string {
  return [...headerOf(trace, env), ...excerptLines(trace, edge)].join('\n');
}

/**
 * The episode as text of at most about `tokenBudget` tokens (see `estimateTokens`). Steps count from 1; each line shows
 * the observation that the policy saw, the action that it took then, and the reward of that step, to three digits.
 * Over budget, the first and the last steps stay, in equal numbers, with the exact count of the ones left out between
 * them. The header and the last step are always shown, however small the budget is.
 */
export function trajectoryText(trace: Trace, env: Pick<Env, 'observation' | 'action'>, tokenBudget: number): string {
  const header = headerOf(trace, env);
  const steps = trace.steps.map((step, i) => stepLine(step, i + 1));
  const whole = [...header, ...steps].join('\n');
  if (estimateTokens(whole) <= tokenBudget) return whole;

  /** with its line break */
  const size = (line: string) => estimateTokens(line) + 1;
  let room =
    tokenBudget - header.reduce((sum, line) => sum + size(line), 0) - size(omission(steps.length, steps.length));
  let head = 0;
  let tail = 0;
  // The end comes first: it shows why the episode stopped.
  for (let fromEnd = true; head + tail < steps.length; fromEnd = !fromEnd) {
    const line = fromEnd ? steps[steps.length - 1 - tail] : steps[head];
    room -= size(line);
    if (room < 0 && tail > 0) break;
    if (fromEnd) tail++;
    else head++;
  }
  const omitted = steps.length - head - tail;
  if (omitted <= 0) return whole;
  return [...header, ...steps.slice(0, head), omission(omitted, head + 1), ...steps.slice(steps.length - tail)].join(
    '\n',
  );
}
