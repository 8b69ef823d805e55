/** Values in messages. */
import { expect, it } from 'vitest';
import { shown } from '../../src/base/shown.ts';

it.each([
  [undefined, 'nothing'],
  [null, 'null'],
  ['a "b"', '"a \\"b\\""'],
  [Number.NaN, 'NaN'],
  [12n, '12n'],
  [() => 1, 'a function'],
  [{ linear: Number.POSITIVE_INFINITY }, '{"linear":"Infinity"}'],
])('%o is shown on one line', (value, text) => {
  expect(shown(value)).toBe(text);
});

it('says that a long value goes on', () => {
  const text = shown(Array.from({ length: 100 }, (_, i) => i));
  expect(text).toHaveLength(80);
  expect(text).toMatch(/^\[0,1,2,.*\.\.\.$/);
  expect(shown('x'.repeat(78))).toBe(`"${'x'.repeat(78)}"`);
  const itself: unknown[] = [];
  itself.push(itself);
  expect(shown(itself)).toBe('an object');
});
