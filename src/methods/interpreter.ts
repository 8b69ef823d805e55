/** Runs the stages of a method. The one place that knows what `search`, `critic` and `evaluate` mean. */
import { R2poError } from '../base/errors.ts';
import type { ReplyText } from '../llm/reply/shape.ts';
import { type Answer, askForParameters } from './ask.ts';
import { type Candidate, keepCandidate } from './keep.ts';
import type {
  CandidateLabel,
  Effects,
  Evaluation,
  IterationContext,
  IterationOutcome,
  Method,
  PastTrial,
  Trial,
} from './method.ts';

/** In the order in which an iteration makes its candidates. */
const labels: readonly CandidateLabel[] = ['proposal', 'revision'];

type Evaluated = Candidate & Evaluation;

/** What the stages of one iteration have made so far. */
interface Progress {
  readonly evaluated: Evaluated[];
  /** made, not yet played, oldest first */
  readonly pending: Answer[];
  /** calls without one usable reply, in words */
  readonly failures: string[];
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
): Promise<IterationOutcome> {
  const progress: Progress = { evaluated: [], pending: [], failures: [] };
  for (const stage of method.stages) {
    await stageRunners[stage](method, context, effects, progress);
  }
  return outcome(method, context, progress);
}

type StageRunner = (method: Method, context: IterationContext, effects: Effects, progress: Progress) => Promise<void>;

const stageRunners: Readonly<Record<Method['stages'][number], StageRunner>> = {
  async search(method, context, effects, progress) {
    const { search } = method.prompts;
    if (!search) throw new R2poError(method.id, 'has a search stage and no search prompt; give it one');
    const trials = [...context.trials, ...progress.evaluated.map((candidate) => asTrial(method, candidate))];
    const sees = { ...context, trials };
    const answer = await askForParameters(sees, 'search', async (replyText) => search({ ...sees, replyText }), effects);
    if (answer) progress.pending.push(answer);
    else progress.failures.push('the search replies could not be used');
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
    const prompt = async (replyText: ReplyText) =>
      critic({ ...context, replyText, proposal: params, summary, sensitivity, trace });
    const answer = await askForParameters(context, 'critic', prompt, effects);
    if (answer) progress.pending.push(answer);
    else progress.failures.push('the critic replies could not be used');
  },

  async evaluate(_method, { iteration }, effects, progress) {
    const answer = progress.pending.shift();
    if (!answer) return;
    const { params, adjustments } = answer;
    const label = labels[progress.evaluated.length];
    const played = await effects.evaluate({ iteration, candidate: label, params, adjustments });
    progress.evaluated.push({ label, params, mean: played.summary.mean, ...played });
  },
};

function asTrial(method: Method, { params, mean, trace }: Evaluated): PastTrial {
  return { kind: 'iteration', params, mean, trace: () => trace(method.representative) };
}

function outcome(method: Method, { iteration }: IterationContext, { evaluated, failures }: Progress): IterationOutcome {
  const candidates = evaluated.map(({ label, params, mean }) => ({ label, params, mean }));
  const { kept, why } = keepCandidate(method.keep, evaluated);
  const trial: Trial | null = kept && { kind: 'iteration', params: kept.params, mean: kept.mean };
  const sentence = [...failures, ...(evaluated.length > 0 ? [why] : [])].join('; ');
  return { iteration, kept: kept?.label ?? null, why: sentence, candidates, trial };
}
