/** Search prompts that name the environment: the next policy is proposed with knowledge of what it controls. */
import { plainNumber } from '../../base/plain-number.ts';
import type { Prompt, PromptContext } from '../method.ts';
import { noRepeats } from './critic.ts';
import { trajectoryText } from './episode-text.ts';
import { excerptSections, historyWithEpisodes, trialHistory } from './history.ts';
import { shownSpaces, subjectSections } from './knowledge.ts';
import { freshSearch, searchRules } from './search.ts';
import { formatSection, parameterSection, section, trialName } from './sections.ts';

export function constantPart(task: string, context: PromptContext, rules: readonly string[]): string {
  return [
    task,
    ...subjectSections(context),
    parameterSection(context),
    section('Rules', rules),
    formatSection(context),
  ].join('\n\n');
}

/** How to make use of the description. */
export function readingRule({ policy }: PromptContext): string {
  return policy.values.kind === 'choice'
    ? '- Think of each state: which action is best there, going by what is described and by what the episodes show?'
    : '- Think of each parameter: what does the policy do in which situation if it grows, and is that what is wanted?';
}

/** The history of a described search: with an episode of each trial where the policy is a table. */
export async function describedHistory(context: PromptContext): Promise<readonly string[]> {
  return context.policy.values.kind === 'choice' ? await historyWithEpisodes(context) : trialHistory(context);
}

/** The search of a policy with its environment described; a tabular one also sees an episode of each trial. */
export const describedSearchPrompt: Prompt<PromptContext> = async (context) => {
  const task =
    'You search for the parameters of a control policy that maximise f, the mean return of its episodes. A measurement is ' +
    'the return of one episode; higher is better. Propose the next point, that is the parameters of the next policy to measure.';
  return {
    constant: constantPart(task, context, [...searchRules(context), readingRule(context)]),
    history: await describedHistory(context),
    fresh: freshSearch(context),
  };
};

/** An episode of the latest trial; nothing before the first. */
async function latestEpisode(context: PromptContext): Promise<string[]> {
  const { trials, settings } = context;
  const last = trials.at(-1);
  if (!last) return [];
  const text = trajectoryText(await last.trace(), shownSpaces(context), settings.trajectoryTokens);
  const name = trialName(trials.length - 1, settings.prompt);
  return [section('An episode of the latest trial', [`It was played with the parameters of ${name}.`, text])];
}

/** One call that drafts, criticises its draft and answers; it sees the last trial's episode. */
export const selfCriticPrompt: Prompt<PromptContext> = async (context) => {
  const { settings, policy } = context;
  const { optimum, stepSize } = settings;
  const task =
    'You improve the parameters of a control policy. A measurement is the return of one episode; higher is better. Draft ' +
    'new parameters, criticise your draft with what you see below, revise it, and answer with the revised ones only.';
  const rules = [
    '- In the episode of the latest trial, find the step at which things start to go wrong, and the parameters that act there.',
    '- Keep what works, and read in the list of trials which changes made things worse.',
    noRepeats,
    ...(optimum === null ? [] : [`- The target is a mean return of ${plainNumber(optimum)}.`]),
    ...(policy.values.kind === 'real' && stepSize !== null
      ? [`- Around a good policy, change parameters by about ${plainNumber(stepSize)}.`]
      : []),
  ];
  return {
    constant: constantPart(task, context, rules),
    history: trialHistory(context),
    fresh: freshSearch(context, ...(await excerptSections(context)), ...(await latestEpisode(context))),
  };
};
