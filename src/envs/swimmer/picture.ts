import { degrees, type Picture, rod, type Shape, scene } from '../picture.ts';

/** px per m */
const scale = 45;
/** between the marks that show the motion, m */
const spacing = 2;
const marks = Math.ceil(scene.width / scale / spacing) + 1;
const around = marks * spacing;

/** Seen from above; the picture follows the swimmer along x. */
export const picture: Picture = {
  stepSeconds: 0.04,
  draw: (p, [x, y, theta1, theta2, theta3]) => {
    const headings = [theta1, theta1! + theta2!, theta1! + theta2! + theta3!];
    const middle: [number, number] = [scene.width / 2, scene.height / 2];
    const shapes: Shape[] = [];
    for (let i = 0; i < marks; i++) {
      // From the middle of the picture, m; a mark that leaves on one side returns on the other, hidden.
      const far = modulo(i * spacing - x! + around / 2, around) - around / 2;
      const at: [number, number] = [middle[0] + far * scale, middle[1]];
      const shown = Math.abs(far) < (around - spacing) / 2;
      shapes.push({ kind: 'line', tone: 'ground', at, shown, x1: 0, y1: -90, x2: 0, y2: 90, thickness: 2 });
    }
    // The front link ahead of the frame, the other two behind its end.
    let joint: [number, number] = [
      middle[0] + Math.cos(theta1!) * p.torsoEnd! * scale,
      middle[1] - (clampToScene(y!) + Math.sin(theta1!) * p.torsoEnd!) * scale,
    ];
    const links = headings.map((heading, i) => {
      const reach = (i === 0 ? 1 : -1) * p.linkLength! * scale;
      const tone = i === 0 ? 'accent' : 'goal';
      const link = rod(tone, { at: joint, turn: -degrees(heading!), x: reach, thickness: 2 * p.linkRadius! * scale });
      if (i > 0) joint = [joint[0] + Math.cos(heading!) * reach, joint[1] - Math.sin(heading!) * reach];
      return link;
    });
    return [...shapes, ...links];
  },
};

function clampToScene(y: number): number {
  const limit = scene.height / scale / 4;
  return Math.min(Math.max(y, -limit), limit);
}

const modulo = (value: number, by: number): number => value - by * Math.floor(value / by);
