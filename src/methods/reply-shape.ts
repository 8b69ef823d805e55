/** The expected reply's shape, for grammars and schemas. */
import type { ReplyShape } from '../llm/reply/shape.ts';
import type { Policy } from '../policies/policy.ts';
import type { Explanation, SearchSettings } from './settings.ts';

/** Maximum length of the requested explanation, characters. */
const explanationLengths: Readonly<Record<Explanation, number>> = { sentence: 300, reasoning: 3000 };

export function replyShape(policy: Policy, { parameters, prompt }: SearchSettings): ReplyShape {
  const { low, high, decimals } = parameters;
  const values = policy.values.kind === 'choice' ? policy.values : ({ kind: 'real', low, high, decimals } as const);
  return { count: policy.paramCount, values, explanationLength: explanationLengths[prompt.explanation] };
}
