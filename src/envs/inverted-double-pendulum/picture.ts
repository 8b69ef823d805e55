import { cartAndPoles } from '../inverted-pendulum/picture.ts';
import type { Picture } from '../picture.ts';

export const picture: Picture = {
  stepSeconds: 0.05,
  draw: (p, [x, theta1, theta2], action) => {
    const poles = [
      { angle: theta1!, length: p.poleLength! },
      { angle: theta1! + theta2!, length: p.poleLength! },
    ];
    return cartAndPoles(p, x!, poles, action === null ? 0 : action[0]! / p.controlLimit!);
  },
};
