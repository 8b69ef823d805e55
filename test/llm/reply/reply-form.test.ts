/** Replies as JSON by a schema are read like any other reply. */
import { describe, expect, it } from 'vitest';
import { parseReply } from '../../../src/llm/reply/parse.ts';
import { vector } from '../../support/methods.ts';

const json = (params: readonly number[]) => JSON.stringify({ params, why: 'Because 1 and [2, 3] were worse.' });

describe('a reply in JSON', () => {
  it('is read, whatever numbers its reason has', () => {
    const spec = { count: 10, values: { kind: 'real' }, low: -7, high: 9, decimals: 2, outOfRange: 'refuse' } as const;
    for (const text of [json(vector(3)), JSON.stringify(JSON.parse(json(vector(3))), null, 2)]) {
      expect(parseReply(text, spec)).toEqual({
        ok: true,
        params: vector(3),
        adjustments: [],
      });
    }
    expect(parseReply(json([1, 2]), spec)).toMatchObject({ ok: false });
  });
});
