/** The form of a reply as a JSON Schema, for endpoints that can hold a model to one. */
import type { Policy } from '../policies/policy.ts';

/** `{ "params": [number x paramCount], "why": "..." }`; ranges are left to the parser, which says what is wrong. */
export function replySchema({ paramCount, values }: Policy): Readonly<Record<string, unknown>> {
  const item = values.kind === 'choice' ? { type: 'number', enum: values.values } : { type: 'number' };
  return {
    type: 'object',
    properties: {
      params: { type: 'array', items: item, minItems: paramCount, maxItems: paramCount },
      why: { type: 'string' },
    },
    required: ['params', 'why'],
    additionalProperties: false,
  };
}
