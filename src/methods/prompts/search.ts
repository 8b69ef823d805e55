/** The Search-LLM's prompt: a black box to maximise. It says nothing about the environment or the policy. */
import { plainNumber } from '../../base/plain-number.ts';
import type { PromptContext, PromptParts } from '../method.ts';
import { trialHistory } from './history.ts';
import {
  counted,
  formatSection,
  measuredLine,
  parameterSection,
  progressSection,
  section,
  trialName,
} from './sections.ts';

/** What every search is told, whatever else it knows; the same in all iterations. */
export function searchRules({ policy, settings, sets }: PromptContext): string[] {
  const lines = [
    '- Propose a point that is not in the list of trials. Measuring one a second time is a wasted iteration.',
    '- Compare the trials: keep what the best ones have in common, and move away from the worst.',
  ];
  if (sets > 1) {
    lines.push(
      `- The ${sets} points of your reply are measured at the same time, and the best is kept. Make them differ: some close ` +
        'to the best trials, some bold.',
    );
  }
  if (settings.warmupPolicies > 0) {
    lines.push('- Trust a mean_reward more than a rollout_reward: one lucky measurement proves little.');
  }
  if (settings.optimum !== null) {
    lines.push(
      `- f should be able to reach about ${plainNumber(settings.optimum)}. While the best mean_reward is well below that, ` +
        'explore boldly; once it is close, refine.',
    );
  } else {
    lines.push('- The highest value of f is not known. Explore boldly first, and refine what works best later.');
  }
  if (policy.values.kind === 'real') {
    lines.push('- Do not settle on the sign of a parameter early: try both positive and negative values of each.');
    if (settings.stepSize !== null) {
      lines.push(
        `- Around a good point, change parameters by about ${plainNumber(settings.stepSize)}: ` +
          'less to refine, more when several tries in a row brought nothing.',
      );
    }
  }
  return lines;
}

/** How the proposals did that were played together with the latest trial; nothing where there was one. */
function latestProposals({ trials, settings }: PromptContext): string[] {
  const proposed = trials.at(-1)?.proposed ?? [];
  if (proposed.length === 0) return [];
  const name = trialName(trials.length - 1, settings.prompt);
  return [
    section('Your latest proposals', [
      `They were measured together; the best candidate of that iteration is ${name}.`,
      ...proposed.map((each) => measuredLine(each, settings.prompt)),
    ]),
  ];
}

/** What is new in a search prompt. */
export function freshSearch(context: PromptContext, ...sections: readonly string[]): string {
  return [...sections, ...latestProposals(context), progressSection(context, 'search')].join('\n\n');
}

/** Text of the search call. */
export function searchPrompt(context: PromptContext): PromptParts {
  const { paramCount } = context.policy;
  const task =
    `You maximise an unknown function f of ${counted(paramCount, 'parameter')}. Nothing is known about it except the values that ` +
    'were measured. Measurements are noisy. Propose the next point to measure, so that the highest value of f is found within ' +
    'the iterations that are left.';
  const constant = [
    task,
    parameterSection(context),
    section('Rules', searchRules(context)),
    formatSection(context),
  ].join('\n\n');
  return { constant, history: trialHistory(context), fresh: freshSearch(context) };
}
