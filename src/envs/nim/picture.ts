import { type Picture, scene } from '../picture.ts';

const spacing = 32;

export const picture: Picture = {
  stepSeconds: 1.2,
  jumps: true,
  draw(p, [sticks], action) {
    const first = (scene.width - (p.sticks! - 1) * spacing) / 2;
    const stick = (i: number) => {
      const x = first + i * spacing;
      return { kind: 'line', x1: x, y1: 60, x2: x, y2: 160, thickness: 10 } as const;
    };
    const taken = action === null ? 0 : action[0]!;
    return Array.from({ length: p.sticks! }, (_, i) => [
      { ...stick(i), tone: 'ground' } as const,
      { ...stick(i), tone: 'ink', shown: i < sticks! - taken } as const,
      { ...stick(i), tone: 'accent', shown: i < sticks! && i >= sticks! - taken } as const,
    ]).flat();
  },
};
