/** The trials of the history with what happened in them, for methods that show it. */
import { estimateTokens } from '../../base/tokens.ts';
import { excerptLines, trajectoryText } from '../../stats/trajectory.ts';
import type { PastTrial, PromptContext } from '../method.ts';
import { historySection, reward } from './shared.ts';

/** Steps at either end of an excerpt. */
const excerptEdge = 4;

/** A trial is shown many times and never changes: its text is made once. */
function remembered(make: (trial: PastTrial, context: PromptContext) => Promise<string>): typeof make {
  const texts = new WeakMap<PastTrial, string>();
  return async (trial, context) => {
    const text = texts.get(trial) ?? (await make(trial, context));
    texts.set(trial, text);
    return text;
  };
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');

const excerptOf = remembered(async (trial) => {
  const trace = await trial.trace();
  const head = `an episode of it (return ${reward(trace.return)}, ${trace.length} steps, ${trace.end}):`;
  return indented([head, ...excerptLines(trace, excerptEdge)].join('\n'));
});

const episodeOf = remembered(async (trial, { env }) =>
  indented(trajectoryText(await trial.trace(), env, Number.POSITIVE_INFINITY)),
);

/** The history; the last `settings.historyExcerpts` trials with the first and last steps of one of their episodes. */
export async function historyWithExcerpts(context: PromptContext): Promise<string> {
  const { trials, settings } = context;
  const from = Math.max(0, trials.length - settings.historyExcerpts);
  const shown = await Promise.all(trials.map((trial, i) => (i < from ? null : excerptOf(trial, context))));
  const notes = shown.some((text) => text !== null)
    ? ['Lines below a trial: step | observation before the step | action | reward.']
    : [];
  return historySection(context, { notes, below: (i) => shown[i] });
}

/** One whole episode of each trial, the newest first to be shown, as long as `settings.trajectoryTokens` last. */
export async function historyWithEpisodes(context: PromptContext): Promise<string> {
  const { trials, settings } = context;
  const shown: (string | null)[] = trials.map(() => null);
  let left = settings.trajectoryTokens;
  for (let i = trials.length - 1; i >= 0; i--) {
    const text = await episodeOf(trials[i], context);
    left -= estimateTokens(text);
    if (left < 0) break;
    shown[i] = text;
  }
  const hidden = shown.filter((text) => text === null).length;
  const notes = hidden > 0 ? [`The episodes of the ${hidden} oldest trials are left out.`] : [];
  return historySection(context, { notes, below: (i) => shown[i] });
}
