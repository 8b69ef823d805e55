import type { Params } from '../env.ts';
import { arrow, degrees, type Picture, type Shape, scene } from '../picture.ts';

const track = 165;
/** px per m; the single and the double pendulum are equally long */
const scale = 110;

/** A cart at `x` on its rail and the poles on it, each an angle from upright and a length, one on the tip of the other. */
export function cartAndPoles(
  p: Params,
  x: number,
  poles: readonly { readonly angle: number; readonly length: number }[],
  push: number,
): Shape[] {
  const at: [number, number] = [scene.width / 2 + x * scale, track];
  const edge = (side: number) => scene.width / 2 + side * p.railLimit! * scale;
  let foot: [number, number] = [at[0], track - 10];
  const drawn = poles.map(({ angle, length }, i): Shape => {
    const pole: Shape = {
      kind: 'line',
      tone: i === 0 ? 'goal' : 'accent',
      at: foot,
      turn: degrees(angle),
      x1: 0,
      y1: 0,
      x2: 0,
      y2: -length * scale,
      thickness: 8,
    };
    foot = [foot[0] + Math.sin(angle) * length * scale, foot[1] - Math.cos(angle) * length * scale];
    return pole;
  });
  return [
    { kind: 'line', tone: 'ground', x1: edge(-1), y1: track, x2: edge(1), y2: track, thickness: 3 },
    { kind: 'line', tone: 'danger', x1: edge(-1), y1: track - 8, x2: edge(-1), y2: track + 8, thickness: 4 },
    { kind: 'line', tone: 'danger', x1: edge(1), y1: track - 8, x2: edge(1), y2: track + 8, thickness: 4 },
    { kind: 'rect', tone: 'ink', at, x: -22, y: -10, width: 44, height: 20, round: 8 },
    ...drawn,
    arrow([at[0], track + 22], push * 40),
  ];
}

export const picture: Picture = {
  stepSeconds: 0.04,
  draw: (p, [x, theta], action) =>
    cartAndPoles(
      p,
      x!,
      [{ angle: theta!, length: Math.hypot(p.poleEndX!, p.poleEndZ!) }],
      action === null ? 0 : action[0]! / p.controlLimit!,
    ),
};
