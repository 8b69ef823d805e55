/** The reply that a run wants of its model, as grammars and schemas need it. */
import type { ReplyShape } from '../llm/reply/shape.ts';
import type { Policy } from '../policies/policy.ts';
import type { Explanation, SearchSettings } from './settings.ts';

/** Room for the explanation that prompts ask for, characters. */
const explanationLengths: Readonly<Record<Explanation, number>> = { sentence: 300, reasoning: 3000 };

export function replyShape(policy: Policy, { parameters, prompt }: SearchSettings): ReplyShape {
  const { low, high, decimals } = parameters;
  const values = policy.values.kind === 'choice' ? policy.values : ({ kind: 'real', low, high, decimals } as const);
  return { count: policy.paramCount, values, explanationLength: explanationLengths[prompt.explanation] };
}
