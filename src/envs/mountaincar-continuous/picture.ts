import { hill } from '../mountaincar/picture.ts';
import type { Picture } from '../picture.ts';

export const picture: Picture = {
  stepSeconds: 1 / 30,
  draw: (p, [position], action) => hill(p, position!, action === null ? 0 : action[0]! / p.maxAction!),
};
