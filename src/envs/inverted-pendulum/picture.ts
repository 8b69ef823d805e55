import type { Params } from '../env.ts';
import { arrow, degrees, type Picture, rail, rod, type Shape, scene } from '../picture.ts';

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
  let foot: [number, number] = [at[0], track - 10];
  const drawn = poles.map(({ angle, length }, i) => {
    const tone = i === 0 ? 'goal' : 'accent';
    const pole = rod(tone, { at: foot, turn: degrees(angle), y: -length * scale, thickness: 8 });
    foot = [foot[0] + Math.sin(angle) * length * scale, foot[1] - Math.cos(angle) * length * scale];
    return pole;
  });
  return [
    ...rail(track, p.railLimit! * scale),
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
