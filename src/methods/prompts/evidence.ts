/** What a critic is shown of a proposal's episodes: each of these is one kind of evidence. */
import { plainNumber } from '../../base/plain-number.ts';
import { endCauses } from '../../rollout/backend.ts';
import { quantileLevels, type Summary } from '../../stats/summary.ts';
import { excerptText, trajectoryText } from '../../stats/trajectory.ts';
import type { CriticContext } from '../method.ts';
import { counted, reward, section } from './shared.ts';

/** Sections of a critic's prompt. */
export type Evidence = (context: CriticContext) => Promise<string[]>;

/** Steps at either end of each of three episodes. */
const threeEdge = 25;

/** Statistics of all the episodes of the proposal, one fact a line. */
function statistics(summary: Summary, full: boolean): string[] {
  const { length, success, ends } = summary;
  const extremes = `lowest ${reward(summary.min)}, highest ${reward(summary.max)}`;
  const spread = summary.std === null ? 'not known from one episode' : reward(summary.std);
  const quantiles = quantileLevels.map(
    (level) => `${Math.round(Number(level) * 100)} %: ${reward(summary.quantiles[level])}`,
  );
  const causes =
    `- ends: ${endCauses.map((cause) => `${ends[cause]} ${cause}`).join(', ')} (terminated: by the environment; ` +
    "truncated: at the environment's own step limit; capped: at our step limit)";
  return [
    `- return: mean ${reward(summary.mean)}, ${full ? `standard deviation ${spread}, ` : ''}${extremes}`,
    ...(full ? [`- quantiles of the return: ${quantiles.join(', ')}`] : []),
    `- length in steps: mean ${reward(length.mean)}, shortest ${length.min}, longest ${length.max}`,
    `- successes: ${success.count} of ${summary.episodes} (a success has a return of at least ${plainNumber(success.threshold)})`,
    ...(full ? [causes] : []),
  ];
}

/** Statistics of all episodes, and the whole episode whose return is closest to the median. */
export const statisticsAndMedian: Evidence = async ({ summary, settings, env, trace }) => {
  const episodes = counted(summary.episodes, 'episode');
  const facts = statistics(summary, settings.statistics === 'full');
  return [
    section('Statistics of the proposal', [`Over ${episodes}:`, ...facts]),
    section('Median episode of the proposal', [
      `Of all ${episodes}, the one whose return of ${reward(summary.median_episode.return)} is closest to the median return.`,
      trajectoryText(await trace('median'), env, settings.trajectoryTokens),
    ]),
  ];
};

/** One whole episode, the one whose return is closest to the mean, and nothing of the others. */
export const episodeNearMean: Evidence = async ({ settings, env, trace }) => [
  section('An episode of the proposal', [trajectoryText(await trace('mean'), env, settings.trajectoryTokens)]),
];

/** What a change of each parameter alone does to the mean return; nothing where that was not asked for. */
export const sensitivitySection = ({ sensitivity }: CriticContext): string[] => {
  if (sensitivity === null) return [];
  const lines = sensitivity.effects.map(({ index, from, to, difference, ci95 }) => {
    const interval = ci95 === null ? '' : ` (95 % interval ${reward(ci95[0])} to ${reward(ci95[1])})`;
    return `- params[${index}] from ${plainNumber(from)} to ${plainNumber(to)}: ${signed(difference)}${interval}`;
  });
  const heading = `Change of the mean return when one parameter alone is changed, over the same ${counted(sensitivity.episodes, 'episode')}:`;
  return [section('Sensitivity of the proposal', [heading, ...lines])];
};

const signed = (value: number): string => `${value > 0 ? '+' : ''}${reward(value)}`;

/** The worst, the median and the best episode, each shortened in the middle. */
export const worstMedianBest: Evidence = async ({ summary, env, trace }) => {
  const shown = [
    { name: 'Worst', pick: 'worst' },
    { name: 'Median', pick: 'median' },
    { name: 'Best', pick: 'best' },
  ] as const;
  const episodes = counted(summary.episodes, 'episode');
  return Promise.all(
    shown.map(async ({ name, pick }) =>
      section(`${name} episode of the proposal`, [
        `Of all ${episodes}, by their returns.`,
        excerptText(await trace(pick), env, threeEdge),
      ]),
    ),
  );
};
