/** The Search-LLM's prompt: a black box to maximise. It says nothing about the environment or the policy. */
import { plainNumber } from '../../base/plain-number.ts';
import type { PromptContext } from '../method.ts';
import { formatSection, historySection, parameterSection, progressSection, section } from './shared.ts';

/** What every search is told, whatever else it knows. */
export function searchRules({ policy, settings, trials }: PromptContext): string[] {
  const lines: string[] = [];
  if (trials.length > 0) {
    lines.push(
      '- Propose a point that is not in the list above. Measuring one a second time is a wasted iteration.',
      '- Compare the points of the list: keep what the best ones have in common, and move away from the worst.',
    );
  }
  if (trials.some(({ kind }) => kind === 'warmup')) {
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

/** Text of the search call. */
export function searchPrompt(context: PromptContext): string {
  const { paramCount } = context.policy;
  return [
    `You maximise an unknown function f of ${paramCount} parameters. Nothing is known about it except the values that were ` +
      'measured below. Measurements are noisy. Propose the next point to measure, so that the highest value of f is found ' +
      'within the iterations that are left.',
    parameterSection(context),
    progressSection(context),
    historySection(context),
    section('Rules', searchRules(context)),
    formatSection(context),
  ].join('\n\n');
}
