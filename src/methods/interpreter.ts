/** Runs the stages of a method. The one place that knows what `search`, `critic` and `evaluate` mean. */
import { R2poError } from '../base/errors.ts';
import { type AskedQuestion, askForParameters, type Question } from './ask.ts';
import type { Answer } from './judge.ts';
import { type Candidate, keepCandidate } from './keep.ts';
import { knownTrial } from './known-trial.ts';
import {
  type Effects,
  type Evaluation,
  type IterationContext,
  type IterationOutcome,
  type Method,
  noRemarks,
  type PastTrial,
  type PlayedIteration,
  type Purpose,
  type Trial,
} from './method.ts';
import { trialName } from './prompts/sections.ts';

type Evaluated = Candidate & Evaluation;

/** What the stages of one iteration have made so far. */
interface IterationProgress {
  readonly evaluated: Evaluated[];
  /** made, not yet played, oldest first */
  readonly pending: Answer[];
  /** calls without one usable reply, in words */
  readonly failures: string[];
  /** calls of each purpose */
  readonly calls: Record<Purpose, number>;
  readonly remarks: Record<Purpose, string | null>;
}

/**
 * Plays one iteration. The history of its prompts is `context.trials`, which does not hold this iteration's candidates.
 *
 * An unusable search reply ends the iteration without candidates; an unusable critic reply leaves the proposal as it is.
 * Throws what `effects` throws, and when the method's stages contradict themselves.
 */
export async function runIteration(
  method: Method,
  context: IterationContext,
  effects: Effects,
): Promise<PlayedIteration> {
  const progress: IterationProgress = {
    evaluated: [],
    pending: [],
    failures: [],
    calls: { search: 0, critic: 0 },
    remarks: { ...noRemarks },
  };
  for (const stage of method.stages) {
    await stageRunners[stage](method, context, effects, progress);
  }
  return { ...outcome(method, context, progress), remarks: progress.remarks };
}

type StageRunner = (
  method: Method,
  context: IterationContext,
  effects: Effects,
  progress: IterationProgress,
) => Promise<void>;

/** Asks, and keeps the answer for the next stages and what went wrong for the next prompts. */
async function ask(
  context: IterationContext,
  question: Omit<AskedQuestion, 'callNumber'>,
  effects: Effects,
  progress: IterationProgress,
): Promise<void> {
  const { purpose, played } = question;
  const callNumber = ++progress.calls[purpose];
  const asked = await askForParameters(context, { ...question, callNumber }, effects);
  if ('problem' in asked) {
    progress.failures.push(`the ${purpose} replies could not be used`);
    progress.remarks[purpose] = `The last iteration gave no usable reply: ${asked.problem}`;
    return;
  }
  progress.pending.push(asked.answer);
  const known = knownTrial(context.trials, played, asked.answer.params);
  if (known === null) return;
  const name = trialName(known, context.settings.prompt);
  progress.remarks[purpose] = `The last iteration measured the parameters of ${name} once more.`;
}

const stageRunners: Readonly<Record<Method['stages'][number], StageRunner>> = {
  async search(method, context, effects, progress) {
    const { search } = method.prompts;
    if (!search) throw new R2poError(method.id, 'has a search stage and no search prompt; give it one');
    const played = progress.evaluated.map((candidate) => asTrial(method, candidate));
    await ask(context, { purpose: 'search', prompt: search, played }, effects, progress);
  },

  async critic(method, context, effects, progress) {
    const { critic } = method.prompts;
    if (!critic) throw new R2poError(method.id, 'has a critic stage and no critic prompt; give it one');
    const proposal = progress.evaluated.at(-1);
    // Nothing was proposed that could be reviewed.
    if (!proposal) return;
    const { params, summary, trace } = proposal;
    const { iteration, settings } = context;
    const asked = settings.sensitivityEpisodes !== null;
    const sensitivity = asked ? await effects.sensitivity({ iteration, params }) : null;
    const prompt: Question = (of) => critic({ ...of, proposal: params, summary, sensitivity, trace });
    await ask(context, { purpose: 'critic', prompt, played: [] }, effects, progress);
  },

  async evaluate(method, { iteration }, effects, progress) {
    const answer = progress.pending.shift();
    if (!answer) return;
    const { params, adjustments } = answer;
    const label = method.candidates[progress.evaluated.length];
    if (label === undefined) throw new R2poError(method.id, 'plays more candidates than it has labels; name each');
    const played = await effects.evaluate({ iteration, candidate: label, params, adjustments });
    progress.evaluated.push({ label, params, mean: played.summary.mean, ...played });
  },
};

function asTrial(method: Method, { params, mean, trace }: Evaluated): PastTrial {
  return { kind: 'iteration', params, mean, trace: () => trace(method.representative) };
}

function outcome(
  method: Method,
  { iteration }: IterationContext,
  { evaluated, failures }: IterationProgress,
): IterationOutcome {
  const candidates = evaluated.map(({ label, params, mean }) => ({ label, params, mean }));
  const { kept, why } = keepCandidate(method.keep, evaluated);
  const trial: Trial | null = kept && { kind: 'iteration', params: kept.params, mean: kept.mean };
  const sentence = [...failures, ...(evaluated.length > 0 ? [why] : [])].join('; ');
  return { iteration, kept: kept?.label ?? null, why: sentence, candidates, trial };
}
