/** The run-time check of methods from the user's own files: the types of `Method` as a schema. */
import { z } from 'zod';
import { UsageError } from '../base/errors.ts';
import { text } from '../base/schema-fields.ts';
import { episodePicks } from '../rollout/statistics.ts';
import { candidateLabelPattern, promptContents, stages } from './method.ts';

const oneOf = (known: readonly [string, ...string[]], what: string) =>
  z.enum(known, { error: `${what} out of ${known.join(', ')}` });
const prompt = z.custom<unknown>((value) => value === null || typeof value === 'function', {
  error: 'a function that gives the parts of a prompt, or null',
});
const label = z
  .string({ error: 'a name such as "proposal"' })
  .regex(candidateLabelPattern, { error: 'a name such as "proposal"' });

const method = z.strictObject({
  kind: z.literal('llm-search').optional(),
  id: z
    .string({ error: 'a name' })
    .regex(/^[a-z][a-z0-9-]*$/, { error: 'a kebab-case name: it stands in tables and in the names of run folders' }),
  title: text('a text that is not empty'),
  about: text('a text that is not empty'),
  stages: z.array(oneOf(stages, 'a stage')).min(1, { error: 'at least one stage' }),
  candidates: z.array(label).min(1, { error: 'at least one name' }),
  prompts: z.strictObject({ search: prompt, critic: prompt }, { error: '{ search, critic }' }),
  shows: z.array(oneOf(promptContents, 'what a prompt shows')),
  keep: text('"best" or the name of a candidate'),
  representative: oneOf(episodePicks, 'an episode'),
  optimiser: z
    .strictObject({
      unit: z.looseObject({ id: text('an optimiser') }, { error: 'an optimiser' }),
      settings: z.record(z.string(), z.unknown()),
      unused: z.array(z.string()),
    })
    .optional(),
});

/** Throws an error that lists every field of `value` that is not what a `Method` has. */
export function checkMethod(value: unknown): void {
  const parsed = method.safeParse(value);
  if (parsed.success) return;
  const id = (value as { id?: unknown } | null)?.id;
  const problems = parsed.error.issues.map((issue) => {
    const where = issue.path.map(String).join('.') || 'the top';
    return issue.code === 'unrecognized_keys'
      ? `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')} at ${where}`
      : `expected ${issue.message} at ${where}`;
  });
  throw new UsageError(typeof id === 'string' ? `method ${id}` : 'defineMethod', problems.join('; '));
}
