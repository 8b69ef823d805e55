/** The reply that a run wants of its model, as grammars and schemas need it. */
import type { ReplyShape } from '../llm/reply/shape.ts';
import type { Policy } from '../policies/policy.ts';
import type { SearchSettings } from './settings.ts';

/** Room for the one short sentence that prompts ask for, characters. */
const explanationLength = 300;

export function replyShape(policy: Policy, { parameters }: SearchSettings): ReplyShape {
  const { low, high, decimals } = parameters;
  const values = policy.values.kind === 'choice' ? policy.values : ({ kind: 'real', low, high, decimals } as const);
  return { count: policy.paramCount, values, explanationLength };
}
