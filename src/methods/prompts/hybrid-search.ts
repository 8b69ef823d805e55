/** Search prompts of methods in which a numeric optimiser works beside the model. */
import { plainNumber, significant } from '../../base/plain-number.ts';
import type { Distribution } from '../../optimisers/optimiser.ts';
import type { PastTrial, Prompt, PromptContext } from '../method.ts';
import { constantPart, describedHistory, readingRule } from './described-search.ts';
import { trialHistory } from './history.ts';
import { freshSearch, searchRules } from './search.ts';
import { counted, measuredLine, reward, section, trialName } from './sections.ts';

/** Digits of the numbers of a distribution, which say where it is and not what to copy. */
const digits = 3;
const shownAxes = 3;
/** Entries of an axis, the largest ones. */
const shownEntries = 8;
const shownTrials = 5;

const numbers = (values: Float64Array): string =>
  `[${[...values].map((value) => significant(value, digits)).join(', ')}]`;

function axisLine({ deviation, direction }: Distribution['axes'][number], place: number): string {
  const largest = [...direction.keys()].sort((a, b) => Math.abs(direction[b]!) - Math.abs(direction[a]!) || a - b);
  const entries = largest
    .slice(0, shownEntries)
    .filter((i) => Math.abs(direction[i]!) >= 0.1)
    .sort((a, b) => a - b)
    .map((i) => `params[${i}] ${significant(direction[i]!, digits)}`);
  return `- axis ${place + 1}: standard deviation ${significant(deviation, digits)} along ${entries.join(', ')}`;
}

/** Mean, step size, spread and principal axes; nothing for an optimiser without a normal distribution. */
function distributionSection({ optimiser }: PromptContext): string[] {
  const distribution = optimiser?.distribution() ?? null;
  if (distribution === null) return [];
  const { mean, sigma, deviations, axes } = distribution;
  return [
    section('State of CMA-ES', [
      `- mean: ${numbers(mean)}`,
      `- step size: ${significant(sigma, digits)}`,
      `- standard deviation of each parameter: ${numbers(deviations)}`,
      'Its longest principal axes, with the entries of at least 0.1 of their directions of length 1:',
      ...axes.slice(0, shownAxes).map(axisLine),
    ]),
  ];
}

/** The trials with the highest means, the best first. */
function bestTrials({ trials, settings }: PromptContext): string[] {
  const best: { readonly i: number; readonly mean: number }[] = [];
  // One walk: a search may have a hundred thousand trials. Of equal ones the later goes first.
  for (const [i, { kind, mean }] of trials.entries()) {
    if (kind !== 'iteration') continue;
    const worse = best.findIndex((one) => one.mean <= mean);
    const place = worse < 0 ? best.length : worse;
    if (place >= shownTrials) continue;
    best.splice(place, 0, { i, mean });
    best.length = Math.min(best.length, shownTrials);
  }
  if (best.length === 0) return [];
  const lines = best.map(({ i }) => `${trialName(i, settings.prompt)}: ${measuredLine(trials[i]!, settings.prompt)}`);
  return [section('Best trials, the best first', lines)];
}

/** Proposals that CMA-ES plays in its population and learns from; the model sees what its distribution is. */
export const centaurPrompt: Prompt<PromptContext> = (context) => {
  const { optimiser, policy } = context;
  const places = optimiser?.places ?? context.sets;
  const drawn = (optimiser?.population ?? places) - places;
  const task =
    'You search for the parameters of a control policy that maximise f, the mean return of its episodes, together with the ' +
    'optimiser CMA-ES. In each iteration CMA-ES draws most candidates from a normal distribution and you propose the ' +
    'others. All are played on the same episodes, the best is the trial of that iteration, and CMA-ES learns from all of ' +
    'them, so a good proposal also moves its distribution. A measurement is the return of one episode; higher is better.';
  const rules = [
    ...searchRules(context),
    '- CMA-ES refines around its mean by itself. Propose what it would not draw soon: what the description suggests, a ' +
      'combination of good trials, a step along one of its axes, or another region while all trials are bad.',
    ...(policy.values.kind === 'real' ? [readingRule(context)] : []),
  ];
  const share = `In this iteration CMA-ES draws ${counted(drawn, 'candidate')}, and you propose ${places}.`;
  return {
    constant: constantPart(task, context, rules),
    history: trialHistory(context),
    fresh: freshSearch(
      context,
      ...bestTrials(context),
      ...distributionSection(context),
      section('Candidates of this iteration', [share]),
    ),
  };
};

/** What became of a proposal: the same trial has its refined parameters, or none that were better. */
function refinementLine(trial: PastTrial, name: string, { settings }: PromptContext): string | null {
  const [proposal, tuned] = trial.candidates ?? [];
  if (proposal === undefined) return null;
  const shown = ({ mean }: { readonly mean: number }) => `mean_reward ${reward(mean, settings.prompt)}`;
  const from = `${name}: you proposed [${proposal.params.map(plainNumber).join(', ')}] with ${shown(proposal)}`;
  if (tuned === undefined) return `${from}; the refinement found nothing better.`;
  const same = trial.params.every((value, i) => value === tuned.params[i]);
  const outcome = same ? 'which was kept' : 'which was not kept';
  return `${from}; refined: [${tuned.params.map(plainNumber).join(', ')}] with ${shown(tuned)}, ${outcome}.`;
}

function refinements(context: PromptContext): string[] {
  const { trials, settings } = context;
  const from = Math.max(0, trials.length - shownTrials);
  const lines = trials.slice(from).flatMap((trial, i) => {
    const line = refinementLine(trial, trialName(from + i, settings.prompt), context);
    return line === null ? [] : [line];
  });
  return lines.length === 0 ? [] : [section('What became of your latest proposals', lines)];
}

/** Proposals that are refined by a small optimiser; the model sees what came of the latest ones. */
export const tunedPrompt: Prompt<PromptContext> = async (context) => {
  const task =
    'You search for the parameters of a control policy that maximise f, the mean return of its episodes. Each proposal is ' +
    'refined by a small optimiser, which tries changes near it for a few episodes; then the proposal and what was made of ' +
    'it are played on the same episodes, and the better is the trial. A measurement is the return of one episode; higher is better.';
  const rules = [
    ...searchRules(context),
    '- Leave small corrections to the optimiser. Propose a policy that does the right thing in kind, near which a better one may lie.',
    '- Read what became of your latest proposals: how far a refinement moved them, in which parameters, and what it brought.',
    readingRule(context),
  ];
  return {
    constant: constantPart(task, context, rules),
    history: await describedHistory(context),
    fresh: freshSearch(context, ...refinements(context)),
  };
};
