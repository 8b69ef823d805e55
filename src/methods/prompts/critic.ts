/** The Critic-LLM's prompt: what the proposed policy did, and the order to improve it without breaking what works. */
import { plainNumber } from '../../base/plain-number.ts';
import { describeEnvironment } from '../../envs/description.ts';
import { describePolicy } from '../../policies/description.ts';
import type { CriticContext, Prompt, PromptContext } from '../method.ts';
import {
  type Evidence,
  episodeNearMean,
  sensitivitySection,
  statisticsAndMedian,
  worstMedianBest,
} from './evidence.ts';
import { historyWithExcerpts } from './history.ts';
import {
  counted,
  formatSection,
  historySection,
  indexedParameters,
  parameterSection,
  progressSection,
  reward,
  section,
} from './shared.ts';

/** Where the critics of the methods differ. */
interface CriticKind {
  readonly evidence: Evidence;
  readonly history: (context: PromptContext) => string | Promise<string>;
  /** how to read the evidence */
  readonly reading: readonly string[];
  /** whether parameters of the history may come again */
  readonly repeats: boolean;
  /** whether it is told to leave a good proposal alone */
  readonly conservative: boolean;
}

export const noRepeats = '- Do not return parameters that are in the history: they are known already.';

function rules({ policy, settings }: CriticContext, { reading, repeats, conservative }: CriticKind): string[] {
  const lines = [
    ...reading,
    '- Change only those parameters. Leave alone what works.',
    '- Read the history: a change that made things worse before will do so again.',
  ];
  const threshold = settings.conservativeThreshold;
  if (!repeats) lines.push(noRepeats);
  if (conservative && threshold !== null) {
    lines.push(
      `- conservative threshold: ${plainNumber(threshold)}. If the mean_reward of the proposal is at or above it and no ` +
        'consistent failure is visible, return the proposal unchanged or with one very small change that you can justify.',
    );
  }
  if (policy.values.kind === 'real' && settings.stepSize !== null) {
    lines.push(
      `- Change no parameter by more than ${plainNumber(settings.stepSize)} unless the evidence for it is strong.`,
    );
  }
  return lines;
}

function critic(kind: CriticKind): Prompt<CriticContext> {
  return async (context) => {
    const { env, policy, proposal, summary, settings } = context;
    const episodes = counted(summary.episodes, 'episode');
    const target = settings.optimum === null ? [] : [`target: a mean return of ${plainNumber(settings.optimum)}`];
    return [
      'You review the parameters of a control policy and improve them. The proposal below was played; you see what it did. ' +
        'Return the parameters of a better policy, close to the proposal. A measurement is the return of one episode; higher is better.',
      section('Environment', [describeEnvironment(env)]),
      section('Policy', [describePolicy(policy, env.action)]),
      parameterSection(context),
      progressSection(context),
      section('Proposal', [
        indexedParameters(proposal),
        `mean_reward = ${reward(summary.mean)} (mean return over ${episodes})`,
        ...target,
      ]),
      ...(await kind.evidence(context)),
      ...sensitivitySection(context),
      await kind.history(context),
      section('Rules', rules(context, kind)),
      formatSection(context),
    ].join('\n\n');
  };
}

/** Sees statistics and the median episode. */
export const statisticsCritic = critic({
  evidence: statisticsAndMedian,
  history: historySection,
  reading: [
    '- Use the statistics to tell a fault that shows in most episodes from one that is rare.',
    '- In the median episode, find where things start to go wrong, and which parameters cause it.',
    '- One episode is one episode: if most of them succeed, do not rebuild the policy for the sake of the one shown.',
  ],
  repeats: true,
  conservative: true,
});

/** Sees one episode, and excerpts of those of recent trials. */
export const episodeCritic = critic({
  evidence: episodeNearMean,
  history: historyWithExcerpts,
  reading: [
    '- In the episode, find the step at which things start to go wrong.',
    '- Find the entries of the observation that matter there, and the parameters that act on them.',
    '- Correct that fault without breaking what the policy does well before it.',
  ],
  repeats: false,
  conservative: false,
});

/** Sees the worst, the median and the best episode. */
export const threeEpisodesCritic = critic({
  evidence: worstMedianBest,
  history: historySection,
  reading: [
    '- Compare the three episodes: what does the best one do that the worst one does not?',
    '- Find the parameters that make the difference. Keep what the good episodes do.',
    '- The worst episode is one of many: do not rebuild the policy for its sake alone.',
  ],
  repeats: false,
  conservative: false,
});
