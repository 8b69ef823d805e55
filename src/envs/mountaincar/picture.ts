import type { Params } from '../env.ts';
import { degrees, type Picture, type Shape, scene } from '../picture.ts';

const margin = 20;
const points = 80;

/** The valley, the flag and the car; `push` from -1 to 1. Used by both mountain cars. */
export function hill(p: Params, position: number, push: number): Shape[] {
  const scale = (scene.width - 2 * margin) / (p.maxPosition! - p.minPosition!);
  const pointAt = (at: number): [number, number] => [
    margin + (at - p.minPosition!) * scale,
    scene.height - 30 - (Math.sin(p.hillFrequency! * at) + 1) * 62,
  ];
  const track = Array.from({ length: points + 1 }, (_, i) =>
    pointAt(p.minPosition! + ((p.maxPosition! - p.minPosition!) * i) / points),
  );
  const [x, y] = pointAt(position);
  const steps = 0.01;
  const [[x1, y1], [x2, y2]] = [pointAt(position - steps), pointAt(position + steps)];
  const [flagX, flagY] = pointAt(p.goalPosition!);
  return [
    {
      kind: 'path',
      tone: 'ground',
      closed: true,
      points: [...track, [scene.width - margin, scene.height - 8], [margin, scene.height - 8]],
    },
    { kind: 'line', tone: 'ink', x1: flagX, y1: flagY, x2: flagX, y2: flagY - 40, thickness: 2 },
    {
      kind: 'path',
      tone: 'goal',
      closed: true,
      points: [
        [flagX, flagY - 40],
        [flagX - 22, flagY - 33],
        [flagX, flagY - 26],
      ],
    },
    ...car([x, y], degrees(Math.atan2(y2 - y1, x2 - x1)), push),
  ];
}

function car(at: readonly [number, number], turn: number, push: number): Shape[] {
  return [
    { kind: 'rect', tone: 'accent', at, turn, x: -16, y: -19, width: 32, height: 12, round: 4 },
    { kind: 'circle', tone: 'ink', at, turn, x: -9, y: -5.5, radius: 5.5 },
    { kind: 'circle', tone: 'ink', at, turn, x: 9, y: -5.5, radius: 5.5 },
    { kind: 'line', tone: 'ink', at, turn, x1: 0, y1: -27, x2: push * 18, y2: -27, thickness: 3, shown: push !== 0 },
  ];
}

export const picture: Picture = {
  stepSeconds: 1 / 30,
  draw: (p, [position], action) => hill(p, position!, action === null ? 0 : action[0]! - 1),
};
