/**
 * One episode as text for a language model: what it was, then one line per step. A long episode is shortened to a token
 * budget by leaving out steps of the middle and saying how many.
 */
import { significant } from '../../base/plain-number.ts';
import { estimateTokens } from '../../base/tokens.ts';
import type { ActionSpace, ObservationSpace, Spaces } from '../../envs/env.ts';
import type { EndCause, Trace, TraceStep } from '../../rollout/job.ts';

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

function headerOf(trace: Trace, spaces: Spaces): string[] {
  return [
    `return ${significant(trace.return, returnDigits)}, length ${trace.length} steps`,
    `end: ${endings[trace.end](trace.length)}`,
    `step | observation before the step (${observationNames(spaces.observation)}) | action (${actionNames(spaces.action)}) | reward`,
  ];
}

/** The steps of an episode as lines; of more than `2 edge` the first and the last `edge`, and how many lie between. */
export function excerptLines(trace: Trace, edge: number): string[] {
  const lines = trace.steps.map((step, i) => stepLine(step, i + 1));
  const omitted = lines.length - 2 * edge;
  return omitted <= 0 ? lines : [...lines.slice(0, edge), omission(omitted, edge + 1), ...lines.slice(-edge)];
}

/** The episode as text with at most `2 edge` of its steps. */
export function excerptText(trace: Trace, spaces: Spaces, edge: number): string {
  return [...headerOf(trace, spaces), ...excerptLines(trace, edge)].join('\n');
}

/**
 * The episode as text of at most about `tokenBudget` tokens (see `estimateTokens`); null: all of it. Steps count from 1; each line shows
 * the observation that the policy saw, the action that it took then, and the reward of that step, to three digits.
 * Over budget, the first and the last steps stay, in equal numbers, with the exact count of the ones left out between
 * them. The header and the last step are always shown, however small the budget is.
 */
export function trajectoryText(trace: Trace, spaces: Spaces, tokenBudget: number | null): string {
  const budget = tokenBudget ?? Number.POSITIVE_INFINITY;
  const header = headerOf(trace, spaces);
  const count = trace.steps.length;
  const size = (line: string) => estimateTokens(line) + 1;
  const headerSize = header.reduce((sum, line) => sum + size(line), 0);
  // Making a line takes longer than all else, and most of a long episode are not shown.
  const made = new Map<number, { readonly text: string; readonly size: number }>();
  const lineAt = (i: number) => {
    const known = made.get(i);
    if (known) return known;
    const text = stepLine(trace.steps[i]!, i + 1);
    const line = { text, size: size(text) };
    made.set(i, line);
    return line;
  };
  const textOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => lineAt(from + i).text);
  /** The line that is shown as the k-th: the last, the first, the last but one and so on, for the end shows why it stopped. */
  const turn = (k: number) => (k % 2 === 0 ? count - 1 - k / 2 : (k - 1) / 2);

  // The last line of all has no line break.
  let whole = headerSize - 1;
  for (let k = 0; k < count && whole <= budget; k++) whole += lineAt(turn(k)).size;
  if (whole <= budget) return [...header, ...textOf(0, count)].join('\n');

  let room = budget - headerSize - size(omission(count, count));
  let shown = 0;
  while (shown < count) {
    room -= lineAt(turn(shown)).size;
    if (room < 0 && shown > 0) break;
    shown++;
  }
  const tail = Math.ceil(shown / 2);
  const head = shown - tail;
  const left = count - shown;
  const between = left > 0 ? [omission(left, head + 1)] : [];
  return [...header, ...textOf(0, head), ...between, ...textOf(count - tail, count)].join('\n');
}
