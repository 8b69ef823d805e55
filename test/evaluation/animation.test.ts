/** Replay pictures: every environment is drawn whole, and what is written is a well-formed picture that moves. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import type { Env } from '../../src/envs/env.ts';
import { envs } from '../../src/envs/index.ts';
import { scene } from '../../src/envs/picture.ts';
import { animate, escapeXml, thinned } from '../../src/evaluation/animation.ts';
import type { Trace } from '../../src/rollout/job.ts';
import { runCli } from '../support/cli.ts';
import { randomTrace } from '../support/random-trace.ts';
import { toyEnv } from '../support/toy-env.ts';

/** Names of all elements; throws where tags do not close or an attribute is not quoted. */
function elementsOf(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const tag = /<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|<[^>]*>|&(?!amp;|lt;|gt;|quot;)/g;
  for (const [text, closing, name, , empty] of svg.matchAll(tag)) {
    if (name === undefined) throw new Error(`not well-formed: ${text}`);
    if (closing) {
      if (open.pop() !== name) throw new Error(`${text} closes another element`);
    } else {
      names.push(name);
      if (!empty) open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join()}`);
  return names;
}

describe.each(envs.map((env) => ({ env, id: env.id })))('the picture of $id', ({ env }) => {
  it('is drawn by the environment itself', () => {
    expect(env.picture).toBeDefined();
  });

  it.each([1, 2, 3])('moves, well-formed, small and with every number finite (episode %i)', async (seed) => {
    const trace = await randomTrace(env, seed);
    const svg = animate(env, trace, 'random');
    const elements = elementsOf(svg);
    expect(elements[0]).toBe('svg');
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script|href=/);
    expect(svg.length).toBeLessThan(150_000);
    expect(svg).toContain(`seed ${seed}: return`);
    // The bar below always moves; one more element does where what is drawn changed.
    const moving = elements.filter((name) => name.startsWith('animate')).length;
    const drawn = trace.steps.map(({ state }) => JSON.stringify(env.picture?.draw(env.params, state, null)));
    const changed = new Set(drawn).size > 1;
    expect(moving).toBeGreaterThanOrEqual(changed ? 2 : 1);
  });

  it('has a caption that is legible 240 px wide, and inside the picture', async () => {
    const svg = animate(env, await randomTrace(env, 12), 'projected-mlp');
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
    const [, size] = /text\{font:(\d+)px/.exec(svg)!.map(Number);
    expect((size! * 240) / width!).toBeGreaterThan(11);
    let lines = 0;
    for (const [, y, text] of svg.matchAll(/<text class="f-\w+" x="10" y="(\d+)"(?: font-weight="bold")?>([^<]*)</g)) {
      lines += 1;
      expect(Number(y)).toBeLessThan(height! - 3);
      // Half of its size is the mean width of a letter.
      expect([...text!].length * size! * 0.55).toBeLessThan(width!);
    }
    expect(lines).toBeGreaterThan(1);
  });

  it('stays near its scene', async () => {
    const trace = await randomTrace(env, 4);
    for (const { state, action } of trace.steps) {
      for (const shape of env.picture?.draw(env.params, state, action) ?? []) {
        const [x, y] = shape.at ?? [scene.width / 2, scene.height / 2];
        expect(x).toBeGreaterThan(-scene.width);
        expect(x).toBeLessThan(2 * scene.width);
        expect(y).toBeGreaterThan(-scene.height / 2);
        expect(y).toBeLessThan(1.5 * scene.height);
      }
    }
  });
});

describe('an animated picture', () => {
  it('shows bars where an environment draws nothing itself', async () => {
    const svg = animate(toyEnv, await randomTrace(toyEnv, 5), 'linear');
    expect(elementsOf(svg).filter((name) => name === 'text')).toHaveLength(toyEnv.state.length + 3);
  });

  it('has no text that could be taken for markup', async () => {
    const trace = await randomTrace(toyEnv, 6);
    const svg = animate({ ...toyEnv, id: '<b>&"x"' }, trace, 'a<script>b');
    expect(svg).toContain('&lt;b&gt;&amp;&quot;x&quot;, a&lt;script&gt;b');
    expect(elementsOf(svg)).not.toContain('script');
    expect(escapeXml('a\u0000b\u001bc')).toBe('abc');
  });

  it('turns the short way where an angle starts again', async () => {
    const turning: Env = {
      ...toyEnv,
      picture: {
        stepSeconds: 1,
        draw: (_p, [x]) => [{ kind: 'circle', tone: 'ink', x: 0, y: 0, radius: 3, turn: x! }],
      },
    };
    const steps = [170, -175].map((x) => ({ state: [x, 0], obs: [], action: [0, 0], reward: 0 }));
    const trace: Trace = { env: 'Toy-v0', seed: 0, return: 0, length: 2, end: 'capped', steps, finalState: [-160, 0] };
    expect(animate(turning, trace, 'p')).toContain('values="170;185;200');
  });

  it('is refused when the shapes of two states differ, or a number is not finite', async () => {
    const trace = await randomTrace(toyEnv, 7);
    const circle = { kind: 'circle', tone: 'ink', x: 0, y: 0, radius: 3 } as const;
    const growing: Env = {
      ...toyEnv,
      picture: { stepSeconds: 1, draw: (_p, [, t]) => (t! < 2 ? [circle] : [circle, circle]) },
    };
    expect(() => animate(growing, trace, 'p')).toThrow(/\[Toy-v0\] expected the same shapes in every picture/);
    const broken: Env = { ...toyEnv, picture: { stepSeconds: 1, draw: () => [{ ...circle, x: Number.NaN }] } };
    expect(() => animate(broken, trace, 'p')).toThrow(/expected finite numbers in a picture, got NaN/);
  });

  it('keeps the first and the last of many states', () => {
    expect(thinned(3, 200)).toEqual([0, 1, 2, 3]);
    const frames = thinned(1000, 200);
    expect(frames).toHaveLength(200);
    expect([frames[0], frames.at(-1)]).toEqual([0, 1000]);
    expect(thinned(0, 200)).toEqual([0]);
  });
});

describe('r2po eval --animate', () => {
  it('writes the median episode, and says when it cannot', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'r2po-animate-'));
    const file = join(folder, 'episode.svg');
    const input = '{ "kind": "tabular", "params": [1, 1, 1, 2, 3, 2, 1, 2, 3, 2, 1] }';
    const args = ['eval', '--env', 'nim', '--policy', '-', '--backend', 'cpu', '--quiet', '--json'];
    const { stdout, code } = await runCli([...args, '--animate', file], { input });
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain(`seed ${JSON.parse(stdout).median_episode.seed}: return 1 in 3 steps`);
    const refused = await runCli([...args, '--animate', join(folder, 'no', 'x.svg')], { input });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/cannot write ".*x\.svg"/);
    rmSync(folder, { recursive: true });
  });
});

describe('the gallery', () => {
  it('has a policy and a picture for every environment', () => {
    const gallery = assetPath('docs/images/gallery');
    const names = envs.map((env) => env.folder);
    expect(readdirSync(join(gallery, 'policies')).sort()).toEqual(names.map((name) => `${name}.json`).sort());
    for (const name of names) {
      expect(existsSync(join(gallery, `${name}.svg`)), name).toBe(true);
      elementsOf(readFileSync(join(gallery, `${name}.svg`), 'utf8'));
    }
  });
});
