/** The Critic-LLM's prompt: what the proposed policy did, and the order to improve it without breaking what works. */
import { plainNumber } from '../../base/plain-number.ts';
import type { CriticContext, Prompt } from '../method.ts';
import {
  type Evidence,
  episodeNearMean,
  sensitivitySection,
  statisticsAndMedian,
  worstMedianBest,
} from './evidence.ts';
import { excerptSections, trialHistory } from './history.ts';
import { subjectSections } from './knowledge.ts';
import {
  counted,
  formatSection,
  indexedParameters,
  measuredLine,
  parameterSection,
  progressSection,
  reward,
  section,
} from './sections.ts';

/** Where the critics of the methods differ. */
interface CriticKind {
  readonly evidence: Evidence;
  /** whether the last trials are shown with excerpts of their episodes */
  readonly excerpts: boolean;
  /** how to read the evidence */
  readonly reading: readonly string[];
  /** whether parameters of the history may come again */
  readonly repeats: boolean;
  /** whether it is told to leave a good proposal alone */
  readonly conservative: boolean;
}

export const noRepeats = '- Do not return the parameters of a trial in the list: they are known already.';

/** The same in all iterations. */
function rules({ policy, settings }: CriticContext, { reading, repeats, conservative }: CriticKind): string[] {
  const lines = [
    ...reading,
    '- Change only the parameters that cause what goes wrong. Leave alone what works.',
    '- Read the list of trials: a change that made things worse before will do so again.',
  ];
  const threshold = settings.conservativeThreshold;
  if (!repeats) lines.push(noRepeats);
  if (settings.optimum !== null) lines.push(`- The target is a mean return of ${plainNumber(settings.optimum)}.`);
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

function proposalSection({ proposal, summary, settings }: CriticContext): string {
  const episodes = counted(summary.episodes, 'episode');
  return section('Proposal', [
    indexedParameters(proposal),
    `mean_reward = ${reward(summary.mean, settings.prompt)} (mean return over ${episodes})`,
  ]);
}

/** Proposals that were played beside the one under review; nothing where there was one. */
function othersSection({ others, settings }: CriticContext): string[] {
  if (others.length === 0) return [];
  return [
    section('Other proposals of this iteration', [
      'They were played on the same episodes; the proposal above was the best.',
      ...others.map((other) => measuredLine(other, settings.prompt)),
    ]),
  ];
}

function critic(kind: CriticKind): Prompt<CriticContext> {
  return async (context) => ({
    constant: [
      'You review the parameters of a control policy and improve them. A proposal was played; below you see what it did. ' +
        'Return the parameters of a better policy, close to the proposal. A measurement is the return of one episode; higher is better.',
      ...subjectSections(context),
      parameterSection(context),
      section('Rules', rules(context, kind)),
      formatSection(context),
    ].join('\n\n'),
    history: trialHistory(context),
    fresh: [
      ...(kind.excerpts ? await excerptSections(context) : []),
      proposalSection(context),
      ...othersSection(context),
      ...(await kind.evidence(context)),
      ...sensitivitySection(context),
      progressSection(context, 'critic'),
    ].join('\n\n'),
  });
}

/** Sees statistics and the median episode. */
export const statisticsCritic = critic({
  evidence: statisticsAndMedian,
  excerpts: false,
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
  excerpts: true,
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
  excerpts: false,
  reading: [
    '- Compare the three episodes: what does the best one do that the worst one does not?',
    '- Find the parameters that make the difference. Keep what the good episodes do.',
    '- The worst episode is one of many: do not rebuild the policy for its sake alone.',
  ],
  repeats: false,
  conservative: false,
});
