/** Features of Claude models by name; others are learned from refusals. */

export interface ClaudeTraits {
  /** can constrain replies by a JSON Schema */
  readonly hasSchemas: boolean;
  /** continues a prefill */
  readonly hasPrefill: boolean;
  /** ways to request thinking, in the order to try */
  readonly thinking: readonly ('adaptive' | 'budget')[];
  /** accepts a reasoning effort */
  readonly hasEffort: boolean;
}

/** Major and minor version as one number, 4.5 for `claude-opus-4-5-20251101`; infinite for a name without a version. */
function versionOf(model: string): number {
  const match =
    /claude-(?:[a-z]+-)?(\d{1,2})(?:[.-](\d{1,2}))?(?![\d])/.exec(model) ?? /claude-(\d)-(\d)-[a-z]+/.exec(model);
  return match === null ? Number.POSITIVE_INFINITY : Number(`${match[1]}.${match[2] ?? 0}`);
}

export function claudeTraits(model: string): ClaudeTraits {
  const version = versionOf(model);
  return {
    hasSchemas: version >= 4.5,
    hasPrefill: version < 4.6,
    thinking: version < 3.7 ? [] : version < 4.6 ? ['budget'] : ['adaptive', 'budget'],
    hasEffort: version >= 4.6 || (version >= 4.5 && model.includes('opus')),
  };
}
