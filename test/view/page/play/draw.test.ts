import { describe, expect, it } from 'vitest';
import { envs } from '../../../../src/envs/index.ts';
import type { Shape } from '../../../../src/envs/picture.ts';
import { toneColors } from '../../../../src/evaluation/animation.ts';
import { drawShapes, type Surface, shapesBetween } from '../../../../src/view/page/play/draw.ts';
import { randomTrace } from '../../../support/random-trace.ts';

/** A canvas that remembers what was painted, in which colour and where. */
function recordingSurface() {
  const painted: string[] = [];
  const calls: string[] = [];
  const target: Record<string, unknown> = {};
  const surface = new Proxy(target, {
    get(held, name: string) {
      if (name in held) return held[name];
      return (...given: unknown[]) => {
        calls.push(`${name} ${given.join(' ')}`);
        if (name === 'fill' || name === 'fillText') painted.push(String(held.fillStyle));
        if (name === 'stroke') painted.push(String(held.strokeStyle));
      };
    },
    set(held, name: string, value) {
      held[name] = value;
      return true;
    },
  }) as unknown as Surface;
  return { surface, painted, calls };
}

describe('pictures on a canvas', () => {
  it.each(envs.filter((env) => env.picture))(
    'paint every shown shape of $id in the colour of its tone',
    async (env) => {
      const trace = await randomTrace(env, 5);
      const shapes = env.picture!.draw(env.params, trace.steps[0]!.state, trace.steps[0]!.action);
      for (const isDark of [false, true]) {
        const { surface, painted } = recordingSurface();
        drawShapes(surface, shapes, isDark);
        const shown = shapes.filter((shape) => shape.shown !== false);
        expect(painted).toEqual(shown.map(({ tone }) => toneColors[tone][isDark ? 1 : 0]));
      }
    },
  );

  it('move a shape to its place before they turn it there', () => {
    const { surface, calls } = recordingSurface();
    drawShapes(
      surface,
      [{ kind: 'line', tone: 'ink', at: [30, 40], turn: 180, x1: 1, y1: 2, x2: 3, y2: 4, thickness: 5 }],
      false,
    );
    expect(calls.filter((call) => /^(translate|rotate|moveTo|lineTo)/.test(call))).toEqual([
      'translate 30 40',
      `rotate ${Math.PI}`,
      'moveTo 1 2',
      'lineTo 3 4',
    ]);
    expect(surface.lineWidth).toBe(5);
  });

  it('turn the short way between two frames, and leave what is shown in one only', () => {
    const rod = (turn: number): Shape => ({
      kind: 'line',
      tone: 'ink',
      at: [0, turn],
      turn,
      x1: 0,
      y1: 0,
      x2: 8,
      y2: 0,
      thickness: 2,
    });
    expect(shapesBetween([rod(170)], [rod(-170)], 0.25)[0]).toMatchObject({ turn: 175, at: [0, 85] });
    const hidden: Shape = { ...rod(10), shown: false };
    expect(shapesBetween([rod(0)], [hidden], 0.5)[0]).toMatchObject({ turn: 0 });
  });
});
