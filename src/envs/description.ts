/**
 * The description of an environment for a language model: prose from the environment's `prompt.md`, with every number
 * and table filled in from the spec rows, so that the text cannot differ from the environment.
 */
import { R2poError } from '../base/errors.ts';
import { plainNumber, significant } from '../base/plain-number.ts';
import type { Env, Row } from './env.ts';
import { notesOf } from './notes.ts';

/** Digits of derived numbers, some of which are irrational (an angle in radians). */
const derivedDigits = 5;

function range(row: Row): string {
  const bounded = [Number.isFinite(row.low), Number.isFinite(row.high)];
  if (bounded[0] && bounded[1])
    return `${significant(row.low, derivedDigits)} to ${significant(row.high, derivedDigits)}`;
  if (bounded[0]) return `at least ${significant(row.low, derivedDigits)}`;
  return bounded[1] ? `at most ${significant(row.high, derivedDigits)}` : 'unbounded';
}

const rowLine = (row: Row, i: number) => `- [${i}] ${row.name}: ${row.meaning}; unit ${row.unit}; ${range(row)}`;

function observationTable({ observation }: Env): string {
  if (observation.kind === 'vector') return observation.rows.map(rowLine).join('\n');
  return `- one whole number from 0 to ${observation.n - 1}: ${observation.meaning}`;
}

function actionTable({ action }: Env): string {
  if (action.kind === 'box') return action.rows.map(rowLine).join('\n');
  const note = (i: number) => (action.againstRules?.includes(i) ? ' (against the rules: never choose it)' : '');
  return action.meanings.map((meaning, i) => `- ${i}: ${meaning}${note(i)}`).join('\n');
}

/** Every placeholder that `prompt.md` may use, with its text. */
function placeholders(env: Env): ReadonlyMap<string, string> {
  const [lowest, highest] = env.returnRange;
  const known = new Map<string, string>([
    ['id', env.id],
    ['observation', observationTable(env)],
    ['action', actionTable(env)],
    ['success.threshold', plainNumber(env.success.threshold)],
    ['return.lowest', plainNumber(lowest)],
    ['return.highest', plainNumber(highest)],
  ]);
  if (env.timeLimit !== null) known.set('timeLimit', plainNumber(env.timeLimit));
  for (const [name, { value, unit }] of Object.entries(env.constants)) {
    known.set(`constants.${name}`, `${plainNumber(value)} ${unit}`);
  }
  for (const [name, text] of Object.entries(notesOf(env))) known.set(`notes.${name}`, text);
  for (const [name, value] of Object.entries(env.params)) {
    known.set(`params.${name}`, significant(value, derivedDigits));
  }
  return known;
}

/**
 * Replaces each `{{name}}` of `template`: `{{constants.x}}` is a constant with its unit, `{{params.x}}` the bare number of
 * a constant or derived value, `{{observation}}` and `{{action}}` are tables of the rows. Throws on an unknown name.
 */
export function fillDescription(template: string, env: Env): string {
  const known = placeholders(env);
  return template.replace(/\{\{(.*?)\}\}/g, (_, name: string) => {
    const text = known.get(name.trim());
    if (text === undefined) {
      const names = [...known.keys()].join(', ');
      throw new R2poError(
        env.id,
        `expected a known placeholder in its description, got "{{${name}}}"; use one of: ${names}`,
      );
    }
    return text;
  });
}

/** The contents of a description: everything, or only the facts in the prompts of the reference. */
export type DescriptionKind = 'full' | 'reference';
