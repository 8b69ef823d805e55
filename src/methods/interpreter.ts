/** Runs the stages of a method. The one place that knows what each stage means. */
import { R2poError } from '../base/errors.ts';
import { type AskedQuestion, askForParameters, differentOnes, firstCall, type Question } from './ask.ts';
import type { Answer } from './judge.ts';
import { type Candidate, keepCandidate } from './keep.ts';
import { knownTrial } from './known-trial.ts';
import {
  type BestOfSeveral,
  type Effects,
  type Evaluation,
  type IterationContext,
  type IterationOutcome,
  type Measured,
  type Method,
  noRemarks,
  type PastTrial,
  type PlayedIteration,
  type Purpose,
  type Trial,
} from './method.ts';
import { checkedParts } from './prompts/message.ts';
import { trialName } from './prompts/sections.ts';

/** A call of this iteration. */
interface AskedIn {
  readonly purpose: Purpose;
  readonly attempt: number;
}

/** Candidates before they are played, all different, and the call whose reply they come from. */
interface Pending {
  readonly proposed: readonly Answer[];
  readonly from: AskedIn;
}

type Evaluated = Candidate &
  Evaluation & {
    /** proposals that were played with it */
    readonly others: readonly Measured[];
    readonly from: AskedIn;
  };

/** What the stages of one iteration have made so far. */
interface IterationProgress {
  readonly evaluated: Evaluated[];
  /** made, not yet played, oldest first; the proposals of one search together */
  readonly pending: Pending[];
  /** what the model proposed where several candidates were played together */
  readonly proposed: Measured[];
  /** what did not work, in words */
  readonly notes: string[];
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
    proposed: [],
    notes: [],
    calls: { search: 0, critic: 0 },
    remarks: { ...noRemarks },
  };
  for (const stage of method.stages) {
    await stageRunners[stage](method, context, effects, progress);
  }
  const { remarks, proposed } = progress;
  return { ...outcome(method, context, progress), remarks, ...(proposed.length > 0 && { proposed }) };
}

type StageRunner = (
  method: Method,
  context: IterationContext,
  effects: Effects,
  progress: IterationProgress,
) => Promise<void>;

type Asked = Pick<AskedQuestion, 'purpose' | 'prompt' | 'played'>;

/** Asks for `count` proposals, and keeps the answers for the next stages and what went wrong for the next prompts. */
async function ask(
  context: IterationContext,
  asked: Asked & { readonly count: number },
  effects: Effects,
  progress: IterationProgress,
): Promise<void> {
  const { purpose, played, prompt, count } = asked;
  const inOne = context.settings.proposalsBy !== 'calls';
  const next = count === 1 && progress.pending.length === 0;
  const questions = Array.from({ length: inOne ? 1 : count }, (): AskedQuestion => {
    const callNumber = ++progress.calls[purpose];
    return { purpose, prompt, played, callNumber, sets: inOne ? count : 1, sideBySide: inOne ? 1 : count, next };
  });
  if (questions.length > 1) effects.sideBySide(questions.map((question) => firstCall(context, question)));
  const answers: Answer[] = [];
  let attempt = 0;
  for (const question of questions) {
    const result = await askForParameters(context, question, effects);
    if ('problem' in result) {
      const which = questions.length === 1 ? `${purpose} replies` : `replies to ${purpose} call ${question.callNumber}`;
      progress.notes.push(`the ${which} could not be used`);
      const said = questions.length === 1 ? 'The last iteration' : 'A call of the last iteration';
      progress.remarks[purpose] = `${said} gave no usable reply: ${result.problem}`;
      continue;
    }
    answers.push(...result.answers);
    attempt = result.attempt;
    if (result.shortfall !== null) progress.remarks[purpose] = result.shortfall;
  }
  if (answers.length === 0) return;
  const different = differentOnes(answers);
  if (different.length < answers.length) {
    progress.remarks[purpose] =
      `Of the ${answers.length} proposals of the last iteration, ${different.length} were different.`;
  }
  progress.pending.push({ proposed: different, from: { purpose, attempt } });
  const known = different.map(({ params }) => knownTrial(context.trials, played, params)).find((at) => at !== null);
  if (known === undefined) return;
  const name = trialName(known, context.settings.prompt);
  progress.remarks[purpose] = `The last iteration measured the parameters of ${name} once more.`;
}

/** Label of the candidate that is played next. */
function nextLabel(method: Method, { evaluated }: IterationProgress): string {
  const label = method.candidates[evaluated.length];
  if (label === undefined) throw new R2poError(method.id, 'plays more candidates than it has labels; name each');
  return label;
}

const brokenNote = 'could not be played: a return is infinite or NaN';
const brokenProblem = 'The episodes of these parameters reached an infinite or NaN state; use numbers closer to 0.';

/** Refuses candidates whose episodes broke, as if they had not been proposed. */
async function refuseBroken(
  label: string,
  { proposed, from }: Pending,
  { iteration }: IterationContext,
  effects: Effects,
  progress: IterationProgress,
): Promise<void> {
  await effects.refused({ iteration, ...from, problem: brokenProblem });
  const whose = proposed.length === 1 ? `the ${label}` : `all ${proposed.length} candidates of the ${label}`;
  progress.notes.push(`${whose} ${brokenNote}`);
  progress.remarks[from.purpose] = `The last iteration's parameters could not be played: ${brokenProblem}`;
}

/** Keeps the best of several candidates, and how the others of the model did. */
function keepBest(label: string, { proposed, from }: Pending, best: BestOfSeveral, progress: IterationProgress): void {
  const { params, means, among, ...played } = best;
  const measured = proposed.map((answer, i): Measured => ({ params: answer.params, mean: means[i]! }));
  progress.proposed.push(...measured);
  const isBest = (of: Measured) => of.params.every((value, i) => value === params[i]);
  const others = measured.filter((of) => !isBest(of));
  progress.evaluated.push({ label, params, mean: played.summary.mean, among, others, from, ...played });
}

const stageRunners: Readonly<Record<Method['stages'][number], StageRunner>> = {
  async search(method, context, effects, progress) {
    const { search } = method.prompts;
    if (!search) throw new R2poError(method.id, 'has a search stage and no search prompt; give it one');
    const played = progress.evaluated.map((candidate) => asTrial(method, candidate));
    const count = context.optimiser?.places ?? context.settings.proposals ?? 1;
    const prompt: Question = async (of) => checkedParts(method.id, 'search', await search(of));
    await ask(context, { purpose: 'search', prompt, played, count }, effects, progress);
  },

  async critic(method, context, effects, progress) {
    const { critic } = method.prompts;
    if (!critic) throw new R2poError(method.id, 'has a critic stage and no critic prompt; give it one');
    const proposal = progress.evaluated.at(-1);
    // Nothing was proposed that could be reviewed.
    if (!proposal) return;
    const { params, summary, trace, others } = proposal;
    const { iteration, settings } = context;
    const asked = settings.sensitivityEpisodes !== null;
    const sensitivity = asked ? await effects.sensitivity({ iteration, params }) : null;
    const prompt: Question = async (of) =>
      checkedParts(method.id, 'critic', await critic({ ...of, proposal: params, others, summary, sensitivity, trace }));
    await ask(context, { purpose: 'critic', prompt, played: [], count: 1 }, effects, progress);
  },

  async evaluate(method, context, effects, progress) {
    const next = progress.pending.shift();
    if (!next) return;
    const { iteration } = context;
    const { proposed, from } = next;
    const candidate = nextLabel(method, progress);
    if (proposed.length > 1) {
      const best = await effects.evaluateTogether({ iteration, candidate, proposed });
      if (best === null) await refuseBroken(candidate, next, context, effects, progress);
      else keepBest(candidate, next, best, progress);
      return;
    }
    const { params, adjustments } = proposed[0]!;
    const played = await effects.evaluate({ iteration, candidate, params, adjustments });
    if (played === null) await refuseBroken(candidate, next, context, effects, progress);
    else progress.evaluated.push({ label: candidate, params, mean: played.summary.mean, others: [], from, ...played });
  },

  async generation(method, context, effects, progress) {
    const { iteration } = context;
    const next = progress.pending.shift() ?? { proposed: [], from: { purpose: 'search', attempt: 0 } };
    const candidate = nextLabel(method, progress);
    const { proposed } = next;
    const best = await effects.generation({ iteration, candidate, proposed });
    if (best !== null) keepBest(candidate, next, best, progress);
    else if (proposed.length > 0) await refuseBroken(candidate, next, context, effects, progress);
    else progress.notes.push(`all candidates of the ${candidate} ${brokenNote}`);
  },

  async refine(_method, { iteration }, effects, progress) {
    const proposal = progress.evaluated.at(-1);
    if (!proposal) return;
    const params = await effects.refine({ iteration, params: proposal.params });
    if (params.every((value, i) => value === proposal.params[i])) {
      progress.notes.push(`the refinement of the ${proposal.label} found nothing better`);
    } else progress.pending.push({ proposed: [{ params, adjustments: [] }], from: proposal.from });
  },
};

function asTrial(method: Method, { params, mean, trace }: Evaluated): PastTrial {
  return { kind: 'iteration', params, mean, trace: () => trace(method.representative) };
}

function outcome(
  method: Method,
  { iteration }: IterationContext,
  { evaluated, notes }: IterationProgress,
): IterationOutcome {
  const candidates = evaluated.map(({ label, params, mean }) => ({ label, params, mean }));
  const { kept, why } = keepCandidate(method.keep, evaluated);
  const trial: Trial | null = kept && { kind: 'iteration', params: kept.params, mean: kept.mean };
  const sentence = [...notes, ...(evaluated.length > 0 ? [why] : [])].join('; ');
  return { iteration, kept: kept?.label ?? null, why: sentence, candidates, trial };
}
