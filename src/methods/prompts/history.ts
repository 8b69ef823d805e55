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

/**
 * The number of oldest trials that a history of at most `window` trials leaves out. It grows by half a window at a time: with
 * every trial, each prompt would differ from the one before it near its beginning.
 */
export function droppedTrials(count: number, window: number | null): number {
  if (window === null || count <= window) return 0;
  const block = Math.ceil(window / 2);
  return block * Math.ceil((count - window) / block);
}

const droppedOf = ({ trials, settings }: PromptContext): number => droppedTrials(trials.length, settings.historyWindow);

/** What rollout_reward is. */
function warmupNotes({ warmupDir, warmupPolicies }: SearchSettings): string[] {
  if (warmupDir !== null) return ['rollout_reward was measured in an earlier search, so it may be mere luck.'];
  if (warmupPolicies === 0) return [];
  return ['rollout_reward is one single measurement of a randomly drawn point, so it may be mere luck.'];
}

/** The heading and what the lines mean. It is there before the first trial, so that nothing has to be taken back. */
function head(context: PromptContext, notes: readonly string[] = []): string {
  const { settings } = context;
  const dropped = droppedOf(context);
  const sentences = [
    'Trials, oldest first.',
    ...(dropped === 0 ? [] : [`Those before ${trialName(dropped, settings.prompt)} are left out.`]),
    `mean_reward is the mean of ${counted(settings.evaluationEpisodes, 'measurement')}.`,
    ...warmupNotes(settings),
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

/** The lines of a history so far, which grow with it. */
interface Rendered {
  readonly of: SearchSettings;
  readonly trials: PastTrial[];
  readonly lines: string[];
  /** whole ones */
  readonly pieces: string[];
}

/** The latest history of each run, by the first trial that it shows. */
const histories = new WeakMap<PastTrial, Rendered>();

type Lines = Pick<Rendered, 'pieces'> & { readonly rest: readonly string[] };

/** Joins the lines behind the whole pieces to pieces, as far as they are whole. */
function completePieces(pieces: string[], lines: readonly string[]): Lines {
  for (let end = (pieces.length + 1) * trialsPerPiece; end <= lines.length; end += trialsPerPiece) {
    pieces.push(lines.slice(end - trialsPerPiece, end).join('\n'));
  }
  return { pieces, rest: lines.slice(pieces.length * trialsPerPiece) };
}

/** The lines of the trials. Those that the history before has in common with this one are not made again. */
function renderedLines(context: PromptContext): Lines {
  const { settings } = context;
  const dropped = droppedOf(context);
  const trials = context.trials.slice(dropped);
  const [first] = trials;
  if (!first) return { pieces: [], rest: [] };
  let known = histories.get(first);
  if (known?.of.prompt !== settings.prompt) {
    known = { of: settings, trials: [], lines: [], pieces: [] };
    histories.set(first, known);
  }
  let same = 0;
  while (same < known.trials.length && known.trials[same] === trials[same]) same++;
  known.trials.length = same;
  known.lines.length = same;
  known.pieces.length = Math.min(known.pieces.length, Math.floor(same / trialsPerPiece));
  for (let i = same; i < trials.length; i++) {
    known.trials.push(trials[i]!);
    known.lines.push(trialLine(context, dropped + i));
  }
  return completePieces(known.pieces, known.lines);
}

/** The heading, and a line for each trial. Only the last is new, as a rule: a history is that before it and a trial. */
export function trialHistory(context: PromptContext): string[] {
  return inPieces(context, renderedLines(context));
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
  const from = Math.max(droppedOf(context), trials.length - settings.historyExcerpts);
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
  const dropped = droppedOf(context);
  const shown = trials.slice(dropped);
  for (const trial of shown) episodes.push(await episodeOf(trial, context));
  const from = firstShown(
    episodes.map(({ tokens }) => tokens),
    settings.trajectoryTokens,
  );
  const lines = shown.map((_, i) => {
    const line = trialLine(context, dropped + i);
    if (i >= from) return `${line}\n${episodes[i]!.text}`;
    return i === from - 1 ? `${line}\n(Episodes up to here are left out.)` : line;
  });
  return inPieces(context, completePieces([], lines), ['Below a trial stands one of its episodes.']);
}
