/** A quick yes of a schema is a yes of zod, with the value unchanged; whatever zod refuses or changes gets none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { shortcutOf, unchangedWhere } from '../../src/base/schema-shortcut.ts';
import { events } from '../../src/runs/journal/events.ts';
import { linesOf } from '../support/experiment.ts';

const schemas: Readonly<Record<string, z.ZodObject>> = events;
/** Events of several methods, without what links their lines. */
const recorded = ['test/cases/format-2-stopped-run', 'test/cases/format-2-finished-run', 'test/replay/cartpole-r2po']
  .flatMap((folder) => linesOf(folder))
  .map(({ prev: _prev, journal: _journal, ...event }) => event);

/** Every place in a value, as a path. */
function pathsOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.slice(0, 3).map((_, i) => i) : Object.keys(value);
  return [path, ...keys.flatMap((key) => pathsOf((value as Record<string, unknown>)[key], [...path, key]))];
}

/** The value with something else at a place; `undefined` removes it. */
function changed(value: unknown, [key, ...rest]: readonly (string | number)[], to: unknown): unknown {
  if (key === undefined) return to;
  // JSON has no list with names.
  if (Array.isArray(value) && typeof key === 'string') return value;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const inside = (copy as Record<string, unknown>)[key];
  const next = changed(inside, rest, to);
  if (next === undefined && !Array.isArray(copy)) delete (copy as Record<string, unknown>)[key];
  else Object.defineProperty(copy, key, { value: next, enumerable: true, writable: true, configurable: true });
  return copy;
}

const odd = fc.constantFrom<unknown>(
  ...[
    undefined,
    null,
    true,
    '',
    'a',
    '2026-01-01T00:00:00Z',
    '2026-02-30T00:00:00.000Z',
    'proposal',
    '-',
    -1,
    -0,
    0,
    1,
  ],
  ...[1.5, 2 ** 53, Infinity, -Infinity, [], [1], [1, 2], [[0, 1]], {}, { a: 1 }, JSON.parse('{"__proto__": 1}')],
);
const other = fc.oneof(odd, fc.jsonValue());

const made = new Map<z.ZodType, ReturnType<typeof shortcutOf>>();

function expectSound(schema: z.ZodType, value: unknown): boolean {
  const shortcut = made.get(schema) ?? shortcutOf(schema);
  made.set(schema, shortcut);
  if (!shortcut(value)) return false;
  const checked = schema.safeParse(value);
  expect(checked.error).toBeUndefined();
  expect(checked.data).toStrictEqual(value);
  return true;
}

describe('a quick yes to an event', () => {
  it('is given to most lines of a record, so that long ones are read quickly', () => {
    const fit = recorded.filter((event) => expectSound(schemas[String(event.type)]!, event));
    // Messages of calls have another shape in the record, and a mean may be missing.
    const plain = recorded.filter(
      ({ type }) => !['llm_call', 'iteration', 'rechecked', 'sensitivity'].includes(String(type)),
    );
    expect(fit.length).toBeGreaterThanOrEqual(plain.length);
    expect(new Set(fit.map(({ type }) => type))).toContain('evaluated');
  });

  it('is never given to what zod refuses or changes', () => {
    const place = fc
      .constantFrom(...recorded)
      .chain((event) => fc.tuple(fc.constant(event), fc.constantFrom(...pathsOf(event))));
    fc.assert(
      fc.property(place, other, fc.option(fc.string()), ([event, path], value, added) => {
        const broken = changed(event, added === null ? path : [...path, added], value);
        expectSound(schemas[String(event.type)]!, broken);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a quick yes', () => {
  const kinds = {
    loose: z.object({ a: z.number() }),
    strict: z.strictObject({ a: z.number(), b: z.string().optional(), c: z.array(z.int().min(2)).default([]) }),
    transformed: z.number().transform((value) => value + 1),
    unchanged: unchangedWhere(
      z.number().transform((value) => Math.abs(value)),
      (value) => Number.isFinite(value) && Number(value) > 0,
    ),
    trimmed: z.string().trim(),
    refined: z.number().refine((value) => value > 3),
    record: z.record(z.string().regex(/^[a-c]$/), z.tuple([z.number(), z.enum(['x', 'y'])]).nullable()),
    state: z.string().regex(/a/g),
    url: z.url(),
    union: z.union([z.strictObject({ a: z.literal(1) }), z.strictObject({ b: z.boolean() })]),
    positive: z.number().positive(),
    short: z.string().max(2),
  };
  const values = fc.oneof(
    other,
    fc.record({ a: other, b: other, c: other }, { requiredKeys: [] }),
    fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', '__proto__'),
      fc.oneof(fc.tuple(fc.double(), fc.constantFrom('x', 'z')), odd),
    ),
  );

  it.each(Object.entries(kinds))('of the kind %s is a yes of zod', (_, schema) => {
    fc.assert(
      fc.property(values, (value) => void expectSound(schema, value)),
      { numRuns: 150 },
    );
  });

  it('is not given by schemas with checks that are not known, or that drop keys', () => {
    for (const name of ['loose', 'transformed', 'trimmed', 'refined', 'state', 'url', 'short'] as const) {
      for (const value of [5, 'a', { a: 1 }, 'http://a.example/']) expect(shortcutOf(kinds[name])(value)).toBe(false);
    }
    expect(shortcutOf(kinds.strict)({ a: 1, c: [2] })).toBe(true);
    expect(shortcutOf(kinds.strict)({ a: 1, c: [1] })).toBe(false);
    expect(shortcutOf(kinds.strict)({ a: 1, c: [2], d: 1 })).toBe(false);
  });
});
