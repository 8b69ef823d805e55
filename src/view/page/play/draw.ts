/** Pictures on a canvas, from the shapes that the SVG animation is made of. */
import type { Shape } from '../../../envs/picture.ts';
import { toneColors } from '../../../evaluation/animation.ts';

/** What is used of a canvas; a page's CanvasRenderingContext2D is one. */
export interface Surface {
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  lineCap: 'butt' | 'round' | 'square';
  lineJoin: 'bevel' | 'miter' | 'round';
  font: string;
  textAlign: 'center' | 'end' | 'left' | 'right' | 'start';
  textBaseline: 'alphabetic' | 'bottom' | 'hanging' | 'ideographic' | 'middle' | 'top';
  save(): void;
  restore(): void;
  translate(x: number, y: number): void;
  rotate(radians: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
  arc(x: number, y: number, radius: number, from: number, to: number): void;
  roundRect(x: number, y: number, width: number, height: number, radius: number): void;
  fill(): void;
  stroke(): void;
  fillText(text: string, x: number, y: number): void;
}

function outline(surface: Surface, shape: Shape): void {
  surface.beginPath();
  if (shape.kind === 'rect') {
    const { x, y, width, height, round = 0 } = shape;
    surface.roundRect(x, y, width, height, Math.max(0, Math.min(round, width / 2, height / 2)));
  } else if (shape.kind === 'circle') {
    surface.arc(shape.x, shape.y, Math.max(0, shape.radius), 0, 2 * Math.PI);
  } else if (shape.kind === 'line') {
    surface.moveTo(shape.x1, shape.y1);
    surface.lineTo(shape.x2, shape.y2);
  } else if (shape.kind === 'path') {
    shape.points.forEach(([x, y], i) => {
      if (i === 0) surface.moveTo(x, y);
      else surface.lineTo(x, y);
    });
    if (shape.closed) surface.closePath();
  }
}

/** Draws shapes in px of the scene. */
export function drawShapes(surface: Surface, shapes: readonly Shape[], isDark: boolean): void {
  surface.lineCap = 'round';
  surface.lineJoin = 'round';
  surface.textAlign = 'center';
  surface.textBaseline = 'middle';
  for (const shape of shapes) {
    if (shape.shown === false) continue;
    const color = toneColors[shape.tone][isDark ? 1 : 0];
    surface.save();
    if (shape.at) surface.translate(shape.at[0], shape.at[1]);
    if (shape.turn !== undefined) surface.rotate((shape.turn * Math.PI) / 180);
    const isFilled = shape.kind === 'rect' || shape.kind === 'circle' || (shape.kind === 'path' && shape.closed);
    if (shape.kind === 'text') {
      surface.fillStyle = color;
      surface.font = '20px system-ui, sans-serif';
      surface.fillText(shape.text, shape.x, shape.y);
    } else if (isFilled) {
      outline(surface, shape);
      surface.fillStyle = color;
      surface.fill();
    } else {
      outline(surface, shape);
      surface.strokeStyle = color;
      surface.lineWidth = shape.kind === 'line' ? shape.thickness : 1;
      surface.stroke();
    }
    surface.restore();
  }
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share;

/** The short way from one direction to another, in degrees. */
function turned(a: number, b: number, share: number): number {
  return a + share * (b - a - 360 * Math.round((b - a) / 360));
}

/** One shape between two frames; `a` and `b` are the same shape. */
function between(a: Shape, b: Shape, share: number): Shape {
  const mixed: Record<string, unknown> = { ...a };
  const other = b as unknown as Readonly<Record<string, unknown>>;
  for (const [key, value] of Object.entries(a)) {
    const to = other[key];
    if (typeof value !== 'number' || typeof to !== 'number') continue;
    mixed[key] = key === 'turn' ? turned(value, to, share) : mix(value, to, share);
  }
  if (a.at && b.at) mixed.at = [mix(a.at[0], b.at[0], share), mix(a.at[1], b.at[1], share)];
  return mixed as unknown as Shape;
}

/** The scene a `share` of a step after a frame, 0 ... 1. Throws nothing: shapes that do not match are left as they are. */
export function shapesBetween(a: readonly Shape[], b: readonly Shape[], share: number): readonly Shape[] {
  if (share <= 0) return a;
  return a.map((shape, i) =>
    b[i]?.kind === shape.kind && b[i].shown === shape.shown ? between(shape, b[i], share) : shape,
  );
}
