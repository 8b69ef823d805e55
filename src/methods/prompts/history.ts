/** The trials so far: one line each, oldest first, to which later prompts only add; and what happened in their episodes. */
import { plainNumber } from '../../base/plain-number.ts';
import { estimateTokens } from '../../base/tokens.ts';
import type { PastTrial, PromptContext } from '../method.ts';
import type { SearchSettings } from '../settings.ts';
import { excerptLines, trajectoryText } from './episode-text.ts';
import { shownSpaces } from './knowledge.ts';
import { counted, reward, section, trialName } from './sections.ts';

/** Steps at either end of an excerpt. */
const excerptEdge = 4;

/** A trial is shown in every prompt that follows it and never changes: its text is made once in a run. */
function remembered<T>(make: (trial: PastTrial, context: PromptContext) => T) {
  const known = new WeakMap<PastTrial, { readonly of: SearchSettings; readonly made: T }>();
  return (trial: PastTrial, context: PromptContext): T => {
    const { settings } = context;
    const before = known.get(trial);
    const same = before?.of.prompt === settings.prompt && before.of.trajectoryTokens === settings.trajectoryTokens;
    if (before && same) return before.made;
    const made = make(trial, context);
    known.set(trial, { of: settings, made });
    return made;
  };
}

/** The line of a trial behind its name, which is that of its place. */
const trialFacts = remembered((trial, { settings }) => {
  const name = trial.kind === 'warmup' ? 'rollout_reward' : 'mean_reward';
  return `params = [${trial.params.map(plainNumber).join(', ')}]; ${name} = ${reward(trial.mean, settings.prompt)}`;
});

/** The heading and what the lines mean. It is there before the first trial, so that nothing has to be taken back. */
function head({ settings }: PromptContext, notes: readonly string[] = []): string {
  const sentences = [
    'Trials, oldest first.',
    `mean_reward is the mean of ${counted(settings.evaluationEpisodes, 'measurement')}.`,
    ...(settings.warmupPolicies > 0
      ? ['rollout_reward is one single measurement of a randomly drawn point, so it may be mere luck.']
      : []),
    ...notes,
  ];
  return section('Measured so far', [sentences.join(' ')]);
}

function trialLine(context: PromptContext, i: number): string {
  return `${trialName(i, context.settings.prompt)}: ${trialFacts(context.trials[i]!, context)}`;
}

/**
 * Trials of a piece of the history. Endpoints that are told what to cache keep text by its pieces, so those of a prompt
 * have to be pieces of the next one as well; and they look at few of them.
 */
const trialsPerPiece = 10;

interface Rendered {
  readonly of: SearchSettings;
  readonly trials: readonly PastTrial[];
  /** whole ones */
  readonly pieces: readonly string[];
  /** lines behind them */
  readonly rest: readonly string[];
}

/** Of the histories that end with a trial. */
const histories = new WeakMap<PastTrial, Rendered>();

type Lines = Pick<Rendered, 'pieces' | 'rest'>;

const noLines: Lines = { pieces: [], rest: [] };

function withLine({ pieces, rest }: Lines, line: string): Lines {
  const lines = [...rest, line];
  return lines.length < trialsPerPiece ? { pieces, rest: lines } : { pieces: [...pieces, lines.join('\n')], rest: [] };
}

/** The lines of the first `count` trials where they were made before; null where they were not. */
function renderedBefore({ trials, settings }: PromptContext, count: number): Lines | null {
  if (count === 0) return noLines;
  const known = histories.get(trials[count - 1]!);
  const same = known?.of.prompt === settings.prompt && known.trials.length === count;
  return same && known.trials.every((trial, i) => trial === trials[i]) ? known : null;
}

/** The heading, and a line for each trial. Only the last is new, as a rule: a history is that before it and a trial. */
export function trialHistory(context: PromptContext): string[] {
  const { trials, settings } = context;
  const count = trials.length;
  let made = renderedBefore(context, count);
  if (!made) {
    const before = renderedBefore(context, count - 1);
    made = before
      ? withLine(before, trialLine(context, count - 1))
      : trials.reduce((lines, _, i) => withLine(lines, trialLine(context, i)), noLines);
    histories.set(trials[count - 1]!, { of: settings, trials, ...made });
  }
  return inPieces(context, made);
}

function inPieces(context: PromptContext, { pieces, rest }: Lines, notes: readonly string[] = []): string[] {
  return [head(context, notes), ...pieces, ...(rest.length === 0 ? [] : [rest.join('\n')])];
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');

const excerptOf = remembered(async (trial, { settings }) => {
  const trace = await trial.trace();
  const about = `return ${reward(trace.return, settings.prompt)}, ${counted(trace.length, 'step')}, ${trace.end}`;
  return [`an episode of it (${about}):`, indented(excerptLines(trace, excerptEdge).join('\n'))].join('\n');
});

/**
 * The last `settings.historyExcerpts` trials with the first and the last steps of one of their episodes, the newest
 * last. Apart from the history: which trials are the last changes from call to call.
 */
export async function excerptSections(context: PromptContext): Promise<string[]> {
  const { trials, settings } = context;
  const from = Math.max(0, trials.length - settings.historyExcerpts);
  if (from === trials.length) return [];
  const shown = await Promise.all(
    trials
      .slice(from)
      .map(async (trial, i) => `${trialName(from + i, settings.prompt)}, ${await excerptOf(trial, context)}`),
  );
  const note = 'Lines of an episode: step | observation before the step | action | reward.';
  return [section('Excerpts of the last trials', [note, ...shown])];
}

const episodeOf = remembered(async (trial, context) => {
  const text = indented(trajectoryText(await trial.trace(), shownSpaces(context), context.settings.trajectoryTokens));
  return { text, tokens: estimateTokens(text) };
});

/**
 * From which trial on episodes are shown, when together they may have `budget` tokens. It moves in steps of half the
 * budget: with every trial, each prompt would differ from the one before it near its beginning.
 */
function firstShown(sizes: readonly number[], budget: number | null): number {
  if (budget === null) return 0;
  let from = 0;
  let sum = 0;
  for (const [i, size] of sizes.entries()) {
    sum += size;
    if (sum <= budget) continue;
    while (from < i && sum > budget / 2) sum -= sizes[from++]!;
  }
  return from;
}

/** The history with one whole episode below each trial, from the first on that `settings.trajectoryTokens` allow. */
export async function historyWithEpisodes(context: PromptContext): Promise<string[]> {
  const { trials, settings } = context;
  const episodes: Awaited<ReturnType<typeof episodeOf>>[] = [];
  for (const trial of trials) episodes.push(await episodeOf(trial, context));
  const from = firstShown(
    episodes.map(({ tokens }) => tokens),
    settings.trajectoryTokens,
  );
  const lines = trials.map((_, i) => {
    if (i >= from) return `${trialLine(context, i)}\n${episodes[i]!.text}`;
    return i === from - 1 ? `${trialLine(context, i)}\n(Episodes up to here are left out.)` : trialLine(context, i);
  });
  return inPieces(context, lines.reduce(withLine, noLines), ['Below a trial stands one of its episodes.']);
}
