import { degrees, type Picture, rod, scene } from '../picture.ts';

export const picture: Picture = {
  stepSeconds: 0.2,
  draw(p, [theta1, theta2]) {
    const scale = scene.height / 2.2 / (p.linkLength1! + p.linkLength2!);
    const hinge: [number, number] = [scene.width / 2, scene.height / 2];
    const elbow: [number, number] = [
      hinge[0] + Math.sin(theta1!) * p.linkLength1! * scale,
      hinge[1] + Math.cos(theta1!) * p.linkLength1! * scale,
    ];
    const goal = hinge[1] - p.goalHeight! * scale;
    // Angles count anticlockwise from hanging down; the screen's count clockwise.
    return [
      { kind: 'line', tone: 'goal', x1: 60, y1: goal, x2: scene.width - 60, y2: goal, thickness: 2 },
      rod('ink', { at: hinge, turn: -degrees(theta1!), y: p.linkLength1! * scale, thickness: 9 }),
      rod('accent', { at: elbow, turn: -degrees(theta1! + theta2!), y: p.linkLength2! * scale, thickness: 9 }),
      { kind: 'circle', tone: 'muted', at: hinge, x: 0, y: 0, radius: 5 },
      { kind: 'circle', tone: 'muted', at: elbow, x: 0, y: 0, radius: 4 },
    ];
  },
};
