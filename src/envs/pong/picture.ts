import { type Picture, scene } from '../picture.ts';

export const picture: Picture = {
  stepSeconds: 1 / 60,
  draw(p, [own, other, x, y]) {
    const scale = Math.min(scene.width / p.fieldWidth!, (scene.height - 10) / p.fieldHeight!);
    const left = (scene.width - p.fieldWidth! * scale) / 2;
    const [width, height] = [p.fieldWidth! * scale, p.fieldHeight! * scale];
    const paddle = { x: 0, y: 0, width: p.paddleWidth! * scale + 2, height: p.paddleHeight! * scale, round: 2 };
    return [
      { kind: 'rect', tone: 'ground', x: left, y: 5, width, height, round: 4 },
      { kind: 'rect', tone: 'accent', at: [left, 5 + own! * scale], ...paddle },
      { kind: 'rect', tone: 'ink', at: [left + width - paddle.width, 5 + other! * scale], ...paddle },
      {
        kind: 'circle',
        tone: 'goal',
        at: [left + (x! + p.ballSize! / 2) * scale, 5 + (y! + p.ballSize! / 2) * scale],
        x: 0,
        y: 0,
        radius: p.ballSize! * scale * 0.8,
      },
    ];
  },
};
