import { arrow, degrees, type Picture, scene } from '../picture.ts';

const track = 165;

export const picture: Picture = {
  stepSeconds: 0.02,
  draw(p, [x, , theta], action) {
    const scale = scene.width / (2.3 * p.positionLimit!);
    const at: [number, number] = [scene.width / 2 + x! * scale, track];
    const edge = (side: number) => scene.width / 2 + side * p.positionLimit! * scale;
    return [
      { kind: 'line', tone: 'ground', x1: edge(-1), y1: track, x2: edge(1), y2: track, thickness: 3 },
      { kind: 'line', tone: 'danger', x1: edge(-1), y1: track - 8, x2: edge(-1), y2: track + 8, thickness: 4 },
      { kind: 'line', tone: 'danger', x1: edge(1), y1: track - 8, x2: edge(1), y2: track + 8, thickness: 4 },
      { kind: 'rect', tone: 'ink', at, x: -24, y: -13, width: 48, height: 26, round: 4 },
      {
        kind: 'line',
        tone: 'goal',
        at: [at[0], at[1] - 13],
        turn: degrees(theta!),
        x1: 0,
        y1: 0,
        x2: 0,
        y2: -2 * p.halfLength! * scale * 1.4,
        thickness: 9,
      },
      { kind: 'circle', tone: 'muted', at: [at[0], at[1] - 13], x: 0, y: 0, radius: 4 },
      arrow([at[0], track + 24], action === null ? 0 : (action[0]! * 2 - 1) * 22),
    ];
  },
};
