import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportScript } from '../../../src/view/api/export.ts';
import { link, parseRoute } from '../../../src/view/page/address.ts';

describe('an address of the page', () => {
  it('reads back as what it was made of, whatever the name of a run is', () => {
    const part = fc.string({ minLength: 1, unit: 'binary-ascii' });
    fc.assert(
      fc.property(fc.array(part), fc.array(part), (path, list) => {
        const route = parseRoute(link(path, { run: list, at: 12, none: null, off: false, on: true }));
        expect(route.path).toEqual(path);
        expect(route.query.getAll('run')).toEqual(list);
        expect(route.query.get('at')).toBe('12');
        expect(route.query.has('none') || route.query.has('off')).toBe(false);
        expect(route.query.get('on')).toBe('1');
      }),
    );
  });

  it('keeps the slashes of a run in a folder in one part', () => {
    expect(link(['run', 'a/b c'], { at: 3 })).toBe('#/run/a%2Fb%20c?at=3');
  });

  it('takes whatever somebody typed', () => {
    expect(parseRoute('#/run/100%').path).toEqual(['run', '100%']);
    expect(parseRoute('').path).toEqual([]);
    expect(parseRoute(link(['run', 'é日本\u{1f600}'])).path[1]).toBe('é日本\u{1f600}');
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), (hash) => void parseRoute(hash)));
  });
});

describe('the scripts of an export', () => {
  it('have names that every file system and every URL has', () => {
    expect(exportScript('/api/runs')).toBe('data/runs.js');
    expect(exportScript('/api/runs/cartpole-s0/calls/130')).toBe(exportScript('/api/runs/cartpole-s0/calls/128'));
    expect(exportScript('/api/runs/cartpole-s0/calls/127')).not.toBe(exportScript('/api/runs/cartpole-s0/calls/128'));
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: 'binary-ascii' }), (id) => {
        expect(exportScript(`/api/runs/${id}`)).toMatch(/^data\/[a-z0-9._~-]{1,150}\.js$/);
      }),
    );
  });

  it('are different for different runs', () => {
    const ids = ['a', 'A', 'a/b', 'a_b', 'a~2f', 'a%2Fb', `${'x'.repeat(300)}1`, `${'x'.repeat(300)}2`];
    expect(new Set(ids.map((id) => exportScript(`/api/runs/${id}`))).size).toBe(ids.length);
  });
});
