/**
 * One episode as an animated SVG: no script, no font, nothing loaded, so that it moves wherever an image is shown.
 * Animated by SMIL, which browsers also play in <img>. CSS keyframes could be switched off by a reader who asks for less
 * motion, but cannot move x1 or y of a shape in every browser.
 */
import { R2poError } from '../base/errors.ts';
import { counted, significant } from '../base/plain-number.ts';
import { inertText } from '../base/printable.ts';
import type { Env } from '../envs/env.ts';
import { type Picture, type Shape, scene } from '../envs/picture.ts';
import type { Trace } from '../rollout/job.ts';
import { barsPicture } from './state-bars.ts';

const unit = 'animation';
/** Enough frames for a smooth picture. */
const maxFrames = 200;
const shortestSeconds = 3;
const longestSeconds = 12;
/** how long the last frame is shown */
const restSeconds = 1;
/** legible where the picture is shown 240 px wide: 12 px there */
const captionSize = 20;
/** characters that fit in a line of the caption */
const captionWidth = 34;
const captionLine = 26;

/** Colours of the roles of shapes. */
export const toneColors: Readonly<Record<Shape['tone'] | 'paper', readonly [light: string, dark: string]>> = {
  paper: ['#ffffff', '#0d1117'],
  ink: ['#243b53', '#d9e2ec'],
  muted: ['#9fb3c8', '#627d98'],
  ground: ['#e4ebf2', '#22303f'],
  accent: ['#2186eb', '#47a3f3'],
  goal: ['#f0a500', '#f7c948'],
  danger: ['#d64545', '#e66a6a'],
};

/** Frames `0 ... last`, at most `max` of them, evenly spaced, first and last among them. */
export function thinned(last: number, max: number): number[] {
  const count = Math.min(last + 1, max);
  if (count === 1) return [last];
  return Array.from({ length: count }, (_, i) => Math.round((i * last) / (count - 1)));
}

export function escapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return inertText(text)
    .replace(/[&<>"]/g, (c) => named[c]!)
    .replace(/[\uFFFE\uFFFF]/g, '');
}

/** A number as it is written: to a tenth of a px or a degree. */
function write(value: number): string {
  if (!Number.isFinite(value)) {
    throw new R2poError(unit, `expected finite numbers in a picture, got ${value}; look at the environment's draw`);
  }
  return String(Number(value.toFixed(1)));
}

interface Clock {
  readonly seconds: number;
  readonly jumps: boolean;
}

function timing({ seconds, jumps }: Clock): string {
  return `dur="${write(seconds)}s" repeatCount="indefinite"${jumps ? ' calcMode="discrete"' : ''}`;
}

/** An attribute over all frames: plain where it does not change, else with its `<animate>`. */
function attribute(name: string, values: readonly number[], clock: Clock): { plain: string; moving: string } {
  const written = values.map(write);
  const plain = ` ${name}="${written[0]}"`;
  if (written.every((v) => v === written[0])) return { plain, moving: '' };
  return { plain, moving: `<animate attributeName="${name}" values="${written.join(';')}" ${timing(clock)}/>` };
}

function transformed(type: 'translate' | 'rotate', values: readonly string[], inside: string, clock: Clock): string {
  const moving = values.every((v) => v === values[0])
    ? ''
    : `<animateTransform attributeName="transform" type="${type}" values="${values.join(';')}" ${timing(clock)}/>`;
  return `<g transform="${type}(${values[0]})">${moving}${inside}</g>`;
}

/** The same directions without jumps of a whole turn, so that the animation takes the short way. */
function unwrapped(turns: readonly number[]): number[] {
  let before = turns[0]!;
  return turns.map((turn) => {
    before = turn - 360 * Math.round((turn - before) / 360);
    return before;
  });
}

/** One shape over all frames. */
function element(frames: readonly Shape[], clock: Clock): string {
  const [shape] = frames;
  const numbers = (names: Readonly<Record<string, string>>) =>
    Object.entries(names).map(([name, key]) => {
      const values = frames.map((frame) => (frame as unknown as Record<string, number | undefined>)[key] ?? 0);
      return attribute(name, values, clock);
    });
  const shown = attribute(
    'opacity',
    frames.map((frame) => (frame.shown === false ? 0 : 1)),
    { ...clock, jumps: true },
  );
  const opacity = shown.moving === '' && shown.plain === ' opacity="1"' ? { plain: '', moving: '' } : shown;
  const tag = (name: string, style: string, attributes: readonly { plain: string; moving: string }[], text = '') => {
    const all = [...attributes, opacity];
    const plain = all.map((a) => a.plain).join('');
    return `<${name} class="${style}${shape!.tone}"${plain}>${all.map((a) => a.moving).join('')}${text}</${name}>`;
  };
  let drawn: string;
  if (shape!.kind === 'rect') {
    drawn = tag('rect', 'f-', numbers({ x: 'x', y: 'y', width: 'width', height: 'height', rx: 'round' }));
  } else if (shape!.kind === 'circle') {
    drawn = tag('circle', 'f-', numbers({ cx: 'x', cy: 'y', r: 'radius' }));
  } else if (shape!.kind === 'line') {
    drawn = tag('line', 's-', numbers({ x1: 'x1', y1: 'y1', x2: 'x2', y2: 'y2', 'stroke-width': 'thickness' }));
  } else if (shape!.kind === 'path') {
    const points = shape!.points.map(([x, y]) => `${write(x)} ${write(y)}`).join('L');
    const plain = ` d="M${points}${shape!.closed ? 'Z' : ''}"`;
    drawn = tag('path', shape!.closed ? 'f-' : 's-', [{ plain, moving: '' }]);
  } else {
    drawn = tag('text', 't f-', numbers({ x: 'x', y: 'y' }), escapeXml(shape!.text));
  }
  if (shape!.turn !== undefined) {
    const turns = unwrapped(frames.map((frame) => frame.turn ?? 0)).map(write);
    drawn = transformed('rotate', turns, drawn, clock);
  }
  if (shape!.at !== undefined) {
    const positions = frames.map(({ at = [0, 0] }) => `${write(at[0])} ${write(at[1])}`);
    drawn = transformed('translate', positions, drawn, clock);
  }
  return drawn;
}

/** The shapes of each frame. Throws when the frames have different shapes. */
function drawFrames(env: Env, picture: Picture, trace: Trace, frames: readonly number[]): Shape[][] {
  const { steps, finalState } = trace;
  const drawn = frames.map((t) => [
    ...picture.draw(env.params, steps[t]?.state ?? finalState, steps[t]?.action ?? null),
  ]);
  const kinds = (shapes: readonly Shape[]) => shapes.map((shape) => shape.kind).join(', ');
  drawn.forEach((shapes, i) => {
    if (kinds(shapes) !== kinds(drawn[0]!)) {
      throw new R2poError(
        env.id,
        `expected the same shapes in every picture, got ${kinds(shapes)} after ${frames[i]} steps and ${kinds(drawn[0]!)} at the start`,
      );
    }
  });
  return drawn;
}

function styles(): string {
  const rules = (which: 0 | 1) =>
    Object.entries(toneColors)
      .map(([tone, color]) => `.f-${tone}{fill:${color[which]}}.s-${tone}{stroke:${color[which]}}`)
      .join('');
  return (
    `<style>line,path{stroke-linecap:round;stroke-linejoin:round}[class^="s-"]{fill:none}` +
    `text{font:${captionSize}px system-ui,sans-serif}.t{text-anchor:middle;dominant-baseline:central}` +
    `${rules(0)}@media (prefers-color-scheme:dark){${rules(1)}}</style>`
  );
}

/** Frames of the episode, at most `max`, as SVG files without motion and caption. */
export function stills(env: Env, trace: Trace, max: number): string[] {
  const picture = env.picture ?? barsPicture(env, trace);
  const { width, height } = scene;
  const still: Clock = { seconds: 1, jumps: true };
  return drawFrames(env, picture, trace, thinned(trace.length, max)).map((shapes) =>
    [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
      styles(),
      ...shapes.map((shape) => element([shape], still)),
      '</svg>',
    ].join('\n'),
  );
}

/** Lines of a caption, broken between words; a longer word stays whole. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && [...line].length + 1 + [...word].length > captionWidth) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** A name that is too long for its line is set narrower, not cut. */
function captionText(line: string, index: number, isTitle: boolean): string {
  const y = scene.height + captionLine * (index + 1) - 4;
  const narrower =
    [...line].length > captionWidth ? ` textLength="${scene.width - 20}" lengthAdjust="spacingAndGlyphs"` : '';
  return `<text class="f-ink" x="10" y="${y}"${isTitle ? ' font-weight="bold"' : ''}${narrower}>${escapeXml(line)}</text>`;
}

/** The recorded episode as the text of an SVG file. `policy` is shown in the caption. */
export function animate(env: Env, trace: Trace, policy: string): string {
  const picture = env.picture ?? barsPicture(env, trace);
  const frames = thinned(trace.length, maxFrames);
  const moving = Math.min(Math.max(trace.length * picture.stepSeconds, shortestSeconds), longestSeconds);
  const rest = Math.max(1, Math.round((frames.length * restSeconds) / moving));
  const clock: Clock = { seconds: moving + restSeconds, jumps: picture.jumps ?? false };
  const drawn = drawFrames(env, picture, trace, frames);
  drawn.push(...Array.from({ length: rest }, () => drawn[drawn.length - 1]!));
  const shapes = drawn[0]!.map((_, i) =>
    element(
      drawn.map((frame) => frame[i]!),
      clock,
    ),
  );
  const title = `${env.id}, ${policy}`;
  const result = `seed ${trace.seed}: return ${significant(trace.return, 5)} in ${counted(trace.length, 'step')}, ${trace.end}`;
  const { width } = scene;
  const lines = [...wrapped(title), ...wrapped(result)];
  const height = scene.height + captionLine * lines.length + 12;
  const done = drawn.map((_, i) => (width * Math.min(i, frames.length - 1)) / Math.max(1, frames.length - 1));
  const progress: Shape[] = done.map((length) => ({
    kind: 'rect',
    tone: 'accent',
    x: 0,
    y: height - 3,
    width: length,
    height: 3,
  }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(result)}</desc>`,
    styles(),
    `<rect class="f-paper" width="${width}" height="${height}" rx="6"/>`,
    ...shapes,
    ...lines.map((line, i) => captionText(line, i, i < wrapped(title).length)),
    element(progress, clock),
    '</svg>\n',
  ].join('\n');
}
