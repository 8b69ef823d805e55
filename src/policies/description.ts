/** The description of a policy for a language model: each parameter, and how they choose the action. */
import type { ActionSpace } from '../envs/env.ts';
import { policyKinds } from './index.ts';
import type { Policy } from './policy.ts';

function choiceOfAction(policy: Policy, action: ActionSpace): string {
  if (policy.output === 'action') return 'Its output is the action itself.';
  return action.kind === 'discrete'
    ? 'Each output is the score of one action. The action with the highest score is taken; of equal scores, the lowest number.'
    : 'Each output is one entry of the action, cut to the range of that entry.';
}

/** The policy's form, the rule that picks the action, and one line per parameter in flat order. */
export function describePolicy(policy: Policy, action: ActionSpace): string {
  const title = policyKinds.find((kind) => kind.id === policy.kind)?.title ?? policy.kind;
  return [
    `The policy is ${title}. ${choiceOfAction(policy, action)} Its ${policy.paramCount} parameters are:`,
    ...policy.paramNames.map((name, i) => `- params[${i}]: ${name}`),
  ].join('\n');
}
