/** Search prompts that name the environment: the next policy is proposed with knowledge of what it controls. */
import { plainNumber } from '../../base/plain-number.ts';
import { describeEnvironment } from '../../envs/description.ts';
import { describePolicy } from '../../policies/description.ts';
import { trajectoryText } from '../../stats/trajectory.ts';
import type { Prompt, PromptContext } from '../method.ts';
import { noRepeats } from './critic.ts';
import { historyWithEpisodes, historyWithExcerpts } from './history.ts';
import { searchRules } from './search.ts';
import { formatSection, historySection, parameterSection, progressSection, section } from './shared.ts';

function informed(task: string, context: PromptContext, middle: readonly string[], rules: readonly string[]): string {
  const { env, policy } = context;
  return [
    task,
    section('Environment', [describeEnvironment(env)]),
    section('Policy', [describePolicy(policy, env.action)]),
    parameterSection(context),
    progressSection(context),
    ...middle,
    section('Rules', rules),
    formatSection(context),
  ].join('\n\n');
}

/** The search of a policy with its environment described; a tabular one also sees an episode of each trial. */
export const describedSearchPrompt: Prompt<PromptContext> = async (context) => {
  const { policy } = context;
  const choices = policy.values.kind === 'choice';
  const reading = choices
    ? ['- Think of each state: which action is best there, going by the description and by what the episodes show?']
    : [
        '- Think of each parameter: what does the policy do in which situation if it grows, and is that what is wanted?',
      ];
  return informed(
    'You search for the parameters of a control policy that maximise f, the mean return of its episodes. A measurement is ' +
      'the return of one episode; higher is better. Propose the next point, that is the parameters of the next policy to measure.',
    context,
    [choices ? await historyWithEpisodes(context) : historySection(context)],
    [...searchRules(context), ...reading],
  );
};

/** One call that drafts, criticises its draft and answers; it sees the last trial's episode. */
export const selfCriticPrompt: Prompt<PromptContext> = async (context) => {
  const { env, trials, settings } = context;
  const last = trials.at(-1);
  const episode = last ? trajectoryText(await last.trace(), env, settings.trajectoryTokens) : 'Nothing was played yet.';
  const target =
    settings.optimum === null ? [] : [`- The target is a mean return of ${plainNumber(settings.optimum)}.`];
  const step =
    context.policy.values.kind === 'real' && settings.stepSize !== null
      ? [`- Around a good policy, change parameters by about ${plainNumber(settings.stepSize)}.`]
      : [];
  return informed(
    'You improve the parameters of a control policy. A measurement is the return of one episode; higher is better. Draft ' +
      'new parameters, criticise your draft with what you see below, revise it, and answer with the revised ones only.',
    context,
    [section('An episode of the latest trial', [episode]), await historyWithExcerpts(context)],
    [
      '- In the episode, find the step at which things start to go wrong, and the parameters that act there.',
      '- Keep what works, and read in the history which changes made things worse.',
      noRepeats,
      ...target,
      ...step,
    ],
  );
};
