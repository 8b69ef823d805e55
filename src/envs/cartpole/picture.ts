import { arrow, degrees, type Picture, rail, rod, scene } from '../picture.ts';

const track = 165;

export const picture: Picture = {
  stepSeconds: 0.02,
  draw(p, [x, , theta], action) {
    const scale = scene.width / (2.3 * p.positionLimit!);
    const at: [number, number] = [scene.width / 2 + x! * scale, track];
    const hinge: [number, number] = [at[0], at[1] - 13];
    return [
      ...rail(track, p.positionLimit! * scale),
      { kind: 'rect', tone: 'ink', at, x: -24, y: -13, width: 48, height: 26, round: 4 },
      rod('goal', { at: hinge, turn: degrees(theta!), y: -2 * p.halfLength! * scale * 1.4, thickness: 9 }),
      { kind: 'circle', tone: 'muted', at: hinge, x: 0, y: 0, radius: 4 },
      arrow([at[0], track + 24], action === null ? 0 : (action[0]! * 2 - 1) * 22),
    ];
  },
};
