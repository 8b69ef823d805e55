/** `run --watch`: pictures in characters, one episode after the other, only in a terminal. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIo } from '../../src/cli/io.ts';
import { runProgram } from '../../src/cli/program.ts';
import { brailleLines, openWatch } from '../../src/cli/watch.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { stills } from '../../src/evaluation/animation.ts';
import { pixelRenderer } from '../../src/report/curves/png.ts';
import type { Trace } from '../../src/rollout/job.ts';
import { randomTrace } from '../support/random-trace.ts';

const sink = { write: () => true };
const terminal = { ...sink, isTTY: true, columns: 70, rows: 30 };

describe('a picture in characters', () => {
  it('has a dot for each dark pixel, two wide and four high', () => {
    const rgba = new Uint8Array(4 * 4 * 8).fill(255);
    const black = (x: number, y: number) => rgba.set([0, 0, 0, 255], 4 * (y * 4 + x));
    black(0, 0);
    black(1, 3);
    black(2, 4);
    expect(brailleLines({ width: 4, height: 8, rgba })).toEqual(['\u2881\u2800', '\u2800\u2801']);
  });

  it('shows a pale area by few dots, and nothing where nothing is drawn', () => {
    const area = (value: number, opacity: number) =>
      brailleLines({ width: 8, height: 8, rgba: new Uint8Array(256).map((_, i) => (i % 4 === 3 ? opacity : value)) });
    const dotsOf = (lines: string[]) =>
      [...lines.join('')].reduce(
        (sum, c) => sum + (c.codePointAt(0)! - 0x2800).toString(2).replaceAll('0', '').length,
        0,
      );
    expect(dotsOf(area(0, 0))).toBe(0);
    expect(dotsOf(area(0, 255))).toBe(64);
    expect(dotsOf(area(230, 255))).toBeGreaterThan(0);
    expect(dotsOf(area(230, 255))).toBeLessThan(16);
  });

  it.each(envs.map((env) => [env.id, env] as const))('of %s shows something in every frame', async (_, env) => {
    const trace = await randomTrace(env, 3);
    const frames = stills(env, trace, 3);
    const render = await pixelRenderer(80);
    for (const svg of frames) expect(brailleLines(render(svg)).join('')).toMatch(/[\u2801-\u28ff]/);
  });
});

describe('a watched run', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const io = createIo(sink, terminal, {});
  const env = findEnv('CartPole-v1');

  it('plays an episode to its end, then the newest that waits', async () => {
    const titles: string[] = [];
    const watch = await openWatch(env, () => titles.push(watch.lines()[0]!), io);
    const trace = await randomTrace(env, 3);
    const kept = (iteration: number) => ({ iteration, mean: 20, trace: async (): Promise<Trace> => trace });
    expect(watch.lines()).toEqual([]);
    watch.onKept(kept(1));
    await vi.advanceTimersByTimeAsync(200);
    watch.onKept(kept(2));
    watch.onKept(kept(3));
    await vi.advanceTimersByTimeAsync(60_000);
    watch.dispose();
    const frames = Math.min(50, trace.length + 1);
    const [first, second] = [1, 3].map((n) => `iteration ${n}: mean 20, this episode ${trace.return}`);
    expect(titles).toEqual([...Array(frames).fill(first), ...Array(frames).fill(second)]);
    expect(watch.lines().every((line) => line.length < 70)).toBe(true);
    expect(watch.lines().length).toBeLessThan(28);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it.each([
  ['a pipe', [], sink],
  ['--json', ['--json'], terminal],
  ['--quiet', ['--quiet'], terminal],
])('is refused with %s', async (name, options, stderr) => {
  let text = '';
  const io = createIo(sink, { ...stderr, write: (line: string) => (text += line) }, {});
  expect(await runProgram(['run', 'cartpole/r2po', '--watch', ...options], io)).toBe(2);
  expect(text).toContain(`[--watch] expected a terminal to draw in, got ${name}`);
});
