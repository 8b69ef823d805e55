/** The picture of a run. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rewardCurve } from '../../src/report/curves/run-curve.ts';
import { runCli } from '../support/cli.ts';

const points = [
  { iteration: 1, candidates: { proposal: 21, revision: 34 }, best: 34 },
  { iteration: 2, candidates: {}, best: 34 },
  { iteration: 3, candidates: { proposal: 120 }, best: 120 },
];

describe('rewardCurve', () => {
  it('draws a point per candidate that exists, the titles, and the re-checked value', async () => {
    const svg = await rewardCurve(points, {
      title: 'A title',
      subtitle: ['first <line>', 'second line'],
      rechecked: { mean: 99, label: 're-checked 99' },
    });
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('A title');
    expect(svg).toContain('first &lt;line&gt;');
    expect(svg).toContain('re-checked 99');
    expect(svg.match(/aria-roledescription="circle"/g)).toHaveLength(3);
  });

  it('draws circles that cover each other once, and every change of the best', async () => {
    const titles = { title: 't', subtitle: [], rechecked: null };
    const many = Array.from({ length: 30_000 }, (_, i) => ({
      iteration: i + 1,
      candidates: { proposal: i % 3 },
      best: i < 29_990 ? 1 : i,
    }));
    const circles = (await rewardCurve(many, titles)).match(
      /aria-label="[^"]*" role="graphics-symbol" aria-roledescription="circle"/g,
    )!;
    // 620 pixels in steps of 2, three values
    expect(circles.length).toBeLessThanOrEqual(3 * 311);
    expect(circles.length).toBeGreaterThan(3 * 300);
    for (const value of [0, 1, 2]) expect(circles.some((label) => label.includes(`mean return: ${value};`))).toBe(true);
    const line =
      /<path aria-label="[^"]*" role="graphics-symbol" aria-roledescription="line mark"[^>]* d="([^"]*)"/.exec(
        await rewardCurve(many, titles),
      )![1]!;
    // a step draws a horizontal and a vertical line
    expect(line.match(/[HV]|L/g)!.length).toBeGreaterThanOrEqual(10);
    expect(line.length).toBeLessThan(1000);
  });

  it('draws no line without a re-check', async () => {
    const svg = await rewardCurve(points, { title: 't', subtitle: [], rechecked: null });
    expect(svg).not.toContain('stroke-dasharray');
    expect(svg).toContain('best so far');
  });
});

describe('r2po run', () => {
  it('writes the picture of the run into its folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'r2po-figure-'));
    try {
      const small = ['iterations=3', 'warmup.policies=2', 'evaluation.episodes=4', 'recheck.episodes=20'];
      const args = ['run', 'cartpole/r2po', ...small, '--backend', 'cpu', '--seed', '5', '--name', 'run'];
      const { code, stderr } = await runCli([...args, '--runs-dir', folder]);
      expect(code).toBe(0);
      expect(stderr).toContain(`figure: ${join(folder, 'run', 'reward.svg')}`);
      const svg = readFileSync(join(folder, 'run', 'reward.svg'), 'utf8');
      expect(svg).toContain('CartPole-v1, r2po, seed 5');
      expect(svg).toContain('not a language model');
      expect(svg).toContain('best policy on 20 fresh episodes');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
