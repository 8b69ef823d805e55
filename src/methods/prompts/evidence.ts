/** What a critic is shown of a proposal's episodes: each of these is one kind of evidence. */
import { plainNumber } from '../../base/plain-number.ts';
import { quantileLevels, type Summary } from '../../evaluation/summary.ts';
import { endCauses } from '../../rollout/job.ts';
import type { CriticContext } from '../method.ts';
import type { SearchSettings } from '../settings.ts';
import { excerptText, trajectoryText } from './episode-text.ts';
import { shownSpaces } from './knowledge.ts';
import { counted, reward, section } from './sections.ts';

/** Sections of a critic's prompt. */
export type Evidence = (context: CriticContext) => Promise<string[]>;

/** Steps at either end of each of three episodes. */
const threeEdge = 25;

/** Statistics of all the episodes of the proposal, one fact a line. */
function statistics(summary: Summary, { statistics, prompt }: SearchSettings): string[] {
  const { episodes, length, success, ends } = summary;
  const full = statistics === 'full';
  const shown = (value: number) => reward(value, prompt);
  const extremes = `lowest ${shown(summary.min)}, highest ${shown(summary.max)}`;
  const spread = summary.std === null ? 'not known from one episode' : shown(summary.std);
  const quantiles = quantileLevels.map(
    (level) => `${Math.round(Number(level) * 100)} %: ${shown(summary.quantiles[level])}`,
  );
  const meaning = `a success has a return of at least ${plainNumber(success.threshold)}`;
  const causes =
    `- ends: ${endCauses.map((cause) => `${ends[cause]} ${cause}`).join(', ')} (terminated: by the environment; ` +
    "truncated: at the environment's own step limit; capped: at our step limit)";
  return [
    `- return: mean ${shown(summary.mean)}, ${full ? `standard deviation ${spread}, ` : ''}${extremes}`,
    ...(full ? [`- quantiles of the return: ${quantiles.join(', ')}`] : []),
    `- length in steps: mean ${shown(length.mean)}, shortest ${length.min}, longest ${length.max}`,
    `- successes: ${success.count} of ${episodes}, failures: ${episodes - success.count} (${meaning})`,
    ...(full ? [causes] : []),
  ];
}

/** Statistics of all episodes, and the whole episode whose return is closest to the median. */
export const statisticsAndMedian: Evidence = async (context) => {
  const { summary, settings, trace } = context;
  const episodes = counted(summary.episodes, 'episode');
  const facts = statistics(summary, settings);
  const middle = reward(summary.median_episode.return, settings.prompt);
  return [
    section('Statistics of the proposal', [`Over ${episodes}:`, ...facts]),
    section('Median episode of the proposal', [
      `Of all ${episodes}, the one whose return of ${middle} is closest to the median return.`,
      trajectoryText(await trace('median'), shownSpaces(context), settings.trajectoryTokens),
    ]),
  ];
};

/** One whole episode, the one whose return is closest to the mean, and nothing of the others. */
export const episodeNearMean: Evidence = async (context) => {
  const { settings, trace } = context;
  const text = trajectoryText(await trace('mean'), shownSpaces(context), settings.trajectoryTokens);
  return [section('An episode of the proposal', [text])];
};

/** What a change of each parameter alone does to the mean return; nothing where that was not asked for. */
export const sensitivitySection = ({ sensitivity, settings }: CriticContext): string[] => {
  if (sensitivity === null) return [];
  const shown = (value: number) => reward(value, settings.prompt);
  const signed = (value: number): string => `${value > 0 ? '+' : ''}${shown(value)}`;
  const lines = sensitivity.effects.map(({ index, from, to, difference, ci95 }) => {
    const interval = ci95 === null ? '' : ` (95 % interval ${shown(ci95[0])} to ${shown(ci95[1])})`;
    return `- params[${index}] from ${plainNumber(from)} to ${plainNumber(to)}: ${signed(difference)}${interval}`;
  });
  const heading = `Change of the mean return when one parameter alone is changed, over the same ${counted(sensitivity.episodes, 'episode')}:`;
  return [section('Sensitivity of the proposal', [heading, ...lines])];
};

/** The worst, the median and the best episode, each shortened in the middle. */
export const worstMedianBest: Evidence = async (context) => {
  const { summary, trace } = context;
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
        excerptText(await trace(pick), shownSpaces(context), threeEdge),
      ]),
    ),
  );
};
