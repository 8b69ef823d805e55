import { arrow, degrees, type Picture, rod, scene } from '../picture.ts';

export const picture: Picture = {
  stepSeconds: 0.05,
  draw(p, [theta], action) {
    const hinge: [number, number] = [scene.width / 2, scene.height / 2];
    const length = 82;
    const torque = action === null ? 0 : action[0]! / p.maxTorque!;
    return [
      { kind: 'circle', tone: 'ground', x: hinge[0], y: hinge[1], radius: length + 12 },
      { kind: 'line', tone: 'goal', x1: hinge[0], y1: 8, x2: hinge[0], y2: 20, thickness: 4 },
      // Anticlockwise from upright.
      rod('ink', { at: hinge, turn: -degrees(theta!), y: -length, thickness: 14 }),
      { kind: 'circle', tone: 'muted', at: hinge, x: 0, y: 0, radius: 5 },
      // A torque against the clock pushes the upper side to the left.
      arrow([hinge[0], hinge[1] + 30], -torque * 40),
    ];
  },
};
