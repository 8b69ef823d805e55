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

/** The line of a trial behind its name, which is that of its place. */
function trialFacts(trial: PastTrial, { settings }: PromptContext): string {
  const name = trial.kind === 'warmup' ? 'rollout_reward' : 'mean_reward';
  return `params = [${trial.params.map(plainNumber).join(', ')}]; ${name} = ${reward(trial.mean, settings.prompt)}`;
}

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

/** What was written of a run so far, for its next prompts; a text that later ones do not show is forgotten. */
interface Written {
  readonly of: SearchSettings;
  /** trials of the whole pieces and of the lines behind them */
  readonly trials: PastTrial[];
  /** the number of trials before them */
  dropped: number;
  /** whole ones */
  readonly pieces: string[];
  /** behind the whole pieces */
  rest: string[];
  readonly excerpts: Map<PastTrial, Promise<string>>;
  readonly episodes: Map<PastTrial, EpisodeText>;
}

/** By the first trial of a run. */
const runs = new WeakMap<PastTrial, Written>();

function writtenOf({ trials, settings }: PromptContext): Written {
  const fresh: Written = {
    ...{ of: settings, trials: [], dropped: 0, pieces: [], rest: [] },
    ...{ excerpts: new Map(), episodes: new Map() },
  };
  const [first] = trials;
  if (first === undefined) return fresh;
  const known = runs.get(first);
  const same = known?.of.prompt === settings.prompt && known.of.trajectoryTokens === settings.trajectoryTokens;
  const written = known && same ? known : fresh;
  runs.set(first, written);
  return written;
}

/** Forgets the texts of trials that are not shown. */
function keepOnly(texts: Map<PastTrial, unknown>, shown: readonly PastTrial[]): void {
  // Prompts of one iteration may show different ones.
  if (texts.size <= 2 * shown.length) return;
  const kept = new Set(shown);
  for (const trial of texts.keys()) if (!kept.has(trial)) texts.delete(trial);
}

type Lines = Pick<Written, 'pieces' | 'rest'>;

/** Joins lines to pieces, as far as they are whole. */
function addLines(to: Lines, lines: readonly string[]): Lines {
  for (const line of lines) {
    to.rest.push(line);
    if (to.rest.length < trialsPerPiece) continue;
    to.pieces.push(to.rest.join('\n'));
    to.rest = [];
  }
  return to;
}

/** The lines of the trials. Those that the history before has in common with this one are not made again. */
function renderedLines(context: PromptContext): Lines {
  const dropped = droppedOf(context);
  const trials = context.trials.slice(dropped);
  const written = writtenOf(context);
  let same = 0;
  if (written.dropped === dropped) {
    while (same < written.trials.length && written.trials[same] === trials[same]) same++;
  }
  written.dropped = dropped;
  if (same < written.trials.length) {
    // Lines of a whole piece are not kept.
    const whole = Math.floor(same / trialsPerPiece);
    if (whole < written.pieces.length) written.rest = [];
    written.pieces.length = Math.min(written.pieces.length, whole);
    written.rest.length = Math.min(written.rest.length, same - whole * trialsPerPiece);
    written.trials.length = written.pieces.length * trialsPerPiece + written.rest.length;
  }
  const from = written.trials.length;
  const lines: string[] = [];
  for (let i = from; i < trials.length; i++) {
    written.trials.push(trials[i]!);
    lines.push(trialLine(context, dropped + i));
  }
  return addLines(written, lines);
}

/** The heading, and a line for each trial. Only the last is new, as a rule: a history is that before it and a trial. */
export function trialHistory(context: PromptContext): string[] {
  return inPieces(context, renderedLines(context));
}

function inPieces(context: PromptContext, { pieces, rest }: Lines, notes: readonly string[] = []): string[] {
  return [head(context, notes), ...pieces, ...(rest.length === 0 ? [] : [rest.join('\n')])];
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');

async function excerptOf(trial: PastTrial, { settings }: PromptContext): Promise<string> {
  const trace = await trial.trace();
  const about = `return ${reward(trace.return, settings.prompt)}, ${counted(trace.length, 'step')}, ${trace.end}`;
  return [`an episode of it (${about}):`, indented(excerptLines(trace, excerptEdge).join('\n'))].join('\n');
}

/**
 * The last `settings.historyExcerpts` trials with the first and the last steps of one of their episodes, the newest
 * last. Apart from the history: which trials are the last changes from call to call.
 */
export async function excerptSections(context: PromptContext): Promise<string[]> {
  const { trials, settings } = context;
  const from = Math.max(droppedOf(context), trials.length - settings.historyExcerpts);
  if (from === trials.length) return [];
  const latest = trials.slice(from);
  const { excerpts } = writtenOf(context);
  keepOnly(excerpts, latest);
  const shown = await Promise.all(
    latest.map(async (trial, i) => {
      const text = excerpts.get(trial) ?? excerptOf(trial, context);
      excerpts.set(trial, text);
      return `${trialName(from + i, settings.prompt)}, ${await text}`;
    }),
  );
  const note = 'Lines of an episode: step | observation before the step | action | reward.';
  return [section('Excerpts of the last trials', [note, ...shown])];
}

interface EpisodeText {
  readonly tokens: number;
  /** null: forgotten, as it was not shown any more */
  text: string | null;
}

async function episodeOf(trial: PastTrial, context: PromptContext): Promise<EpisodeText> {
  const text = indented(trajectoryText(await trial.trace(), shownSpaces(context), context.settings.trajectoryTokens));
  return { text, tokens: estimateTokens(text) };
}

/** The episodes of these trials, of which those from the one that `firstOf` names on have their texts. */
async function episodesOf(
  shown: readonly PastTrial[],
  context: PromptContext,
  firstOf: (sizes: readonly number[]) => number,
): Promise<{ readonly from: number; readonly texts: readonly string[] }> {
  const { episodes } = writtenOf(context);
  keepOnly(episodes, shown);
  const found: EpisodeText[] = [];
  for (const trial of shown) {
    const episode = episodes.get(trial) ?? (await episodeOf(trial, context));
    episodes.set(trial, episode);
    found.push(episode);
  }
  const from = firstOf(found.map(({ tokens }) => tokens));
  const texts: string[] = [];
  for (const [i, episode] of found.entries()) {
    if (i >= from && episode.text === null) episode.text = (await episodeOf(shown[i]!, context)).text;
    if (i >= from) texts.push(episode.text!);
    else episode.text = null;
  }
  return { from, texts };
}

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
  const dropped = droppedOf(context);
  const shown = trials.slice(dropped);
  const { from, texts } = await episodesOf(shown, context, (sizes) => firstShown(sizes, settings.trajectoryTokens));
  const lines = shown.map((_, i) => {
    const line = trialLine(context, dropped + i);
    if (i >= from) return `${line}\n${texts[i - from]!}`;
    return i === from - 1 ? `${line}\n(Episodes up to here are left out.)` : line;
  });
  return inPieces(context, addLines({ pieces: [], rest: [] }, lines), ['Below a trial stands one of its episodes.']);
}
