/** The Critic-LLM's prompt: what the proposed policy did, and the order to improve it without breaking what works. */
import { plainNumber } from '../../base/plain-number.ts';
import { describeEnvironment } from '../../envs/description.ts';
import { describePolicy } from '../../policies/description.ts';
import { endCauses } from '../../rollout/backend.ts';
import { quantileLevels, type Summary } from '../../stats/summary.ts';
import { trajectoryText } from '../../stats/trajectory.ts';
import type { CriticContext } from '../method.ts';
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

/** Statistics of all the episodes of the proposal, one fact a line. */
function statistics(summary: Summary): string[] {
  const { length, success, ends } = summary;
  const quantiles = quantileLevels.map(
    (level) => `${Math.round(Number(level) * 100)} %: ${reward(summary.quantiles[level])}`,
  );
  const spread = summary.std === null ? 'not known from one episode' : reward(summary.std);
  return [
    `- return: mean ${reward(summary.mean)}, standard deviation ${spread}, lowest ${reward(summary.min)}, highest ${reward(summary.max)}`,
    `- quantiles of the return: ${quantiles.join(', ')}`,
    `- length in steps: mean ${reward(length.mean)}, shortest ${length.min}, longest ${length.max}`,
    `- successes: ${success.count} of ${summary.episodes} (a success has a return of at least ${plainNumber(success.threshold)})`,
    `- ends: ${endCauses.map((cause) => `${ends[cause]} ${cause}`).join(', ')} (terminated: by the environment; ` +
      "truncated: at the environment's own step limit; capped: at our step limit)",
  ];
}

function rules({ policy, settings }: CriticContext): string[] {
  const lines = [
    '- Use the statistics to tell a fault that shows in most episodes from one that is rare.',
    '- In the median episode, find where things start to go wrong, and which parameters cause it.',
    '- Change only those parameters. Leave alone what works.',
    '- One episode is one episode: if most of them succeed, do not rebuild the policy for the sake of the one shown.',
    '- Read the history: a change that made things worse before will do so again.',
  ];
  const threshold = settings.conservativeThreshold;
  if (threshold !== null) {
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

/** Text of the critic call. */
export function criticPrompt(context: CriticContext): string {
  const { env, policy, proposal, summary, medianTrace, settings } = context;
  const episodes = counted(summary.episodes, 'episode');
  const target = settings.optimum === null ? [] : [`target: a mean return of ${plainNumber(settings.optimum)}`];
  const median = summary.median_episode;
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
    section('Statistics of the proposal', [`Over ${episodes}:`, ...statistics(summary)]),
    section('Median episode of the proposal', [
      `Of all ${episodes}, the one whose return of ${reward(median.return)} is closest to the median return.`,
      trajectoryText(medianTrace, env, settings.trajectoryTokens),
    ]),
    historySection(context),
    section('Rules', rules(context)),
    formatSection(context),
  ].join('\n\n');
}
