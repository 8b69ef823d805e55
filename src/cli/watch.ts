/** `run --watch`: plays the episode of each kept policy above the status lines of a terminal. */
import { significant } from '../base/plain-number.ts';
import type { Env } from '../envs/env.ts';
import { stills } from '../evaluation/animation.ts';
import type { Pixels } from '../report/curves/png.ts';
import type { KeptPolicy } from '../runs/run.ts';
import type { Io } from './io.ts';

/** Characters of a line of the picture, and lines below it that are for the status. */
const pictureWidth = 56;
const statusLines = 3;
const frameMs = 80;
const maxFrames = 50;

/** Bits of the dots of a Braille character, by row and column. */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** Thresholds of an ordered 4 x 4 dither (Bayer 1973), which shows a pale area by few dots. */
const bayer = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];

/** 0 (white or transparent) ... 1 (black, or a full colour). */
function darkness({ rgba, width }: Pixels, x: number, y: number): number {
  const at = 4 * (y * width + x);
  return ((255 - Math.min(rgba[at]!, rgba[at + 1]!, rgba[at + 2]!)) / 255) * (rgba[at + 3]! / 255);
}

/** A picture as lines of Braille characters, two pixels wide and four high, without colours. */
export function brailleLines(pixels: Pixels): string[] {
  const rows = Math.ceil(pixels.height / 4);
  const columns = Math.ceil(pixels.width / 2);
  const isSet = (x: number, y: number): boolean =>
    x < pixels.width && y < pixels.height && darkness(pixels, x, y) > (bayer[4 * (y % 4) + (x % 4)]! + 0.5) / 16;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const bits = dots.flatMap((line, dy) => line.filter((_, dx) => isSet(2 * column + dx, 4 * row + dy)));
      return String.fromCodePoint(0x2800 + bits.reduce((sum, bit) => sum + bit, 0));
    }).join(''),
  );
}

export interface Watch {
  /** plays its episode; one that is being played ends first, and of several that wait the newest is next */
  readonly onKept: (kept: KeptPolicy) => void;
  /** the picture of now; empty before the first */
  lines(): readonly string[];
  /** Must be called: an open timer keeps the process alive. */
  dispose(): void;
}

interface Playing {
  readonly title: string;
  readonly frames: readonly string[];
}

/** `draw` redraws the status lines. Throws an `R2poError` when pictures cannot be drawn here. */
export async function openWatch(env: Env, draw: () => void, io: Io): Promise<Watch> {
  // Native, and most runs draw nothing.
  const { pixelRenderer } = await import('../report/curves/png.ts');
  const { width, height } = io.room();
  const columns = Math.max(10, Math.min(pictureWidth, width - 1));
  const rows = Math.max(0, height - statusLines - 1);
  const render = await pixelRenderer(2 * columns);
  let next: KeptPolicy | null = null;
  let playing: Playing | null = null;
  let isLoading = false;
  let frame = 0;
  let shown: readonly string[] = [];
  const advance = (): void => {
    if (playing === null) return;
    const svg = playing.frames[frame];
    if (svg === undefined) {
      playing = null;
      begin();
      return;
    }
    frame += 1;
    shown = [playing.title, ...brailleLines(render(svg)).slice(0, rows)];
    draw();
  };
  const load = async ({ iteration, mean, trace }: KeptPolicy): Promise<Playing> => {
    const played = await trace();
    const title = `iteration ${iteration}: mean ${significant(mean, 5)}, this episode ${significant(played.return, 5)}`;
    return { title, frames: stills(env, played, maxFrames) };
  };
  const begin = (): void => {
    if (next === null || playing !== null || isLoading) return;
    const kept = next;
    next = null;
    frame = 0;
    isLoading = true;
    load(kept)
      .then((loaded) => {
        playing = loaded;
      })
      // The run reports an episode that cannot be played.
      .catch(() => {})
      .finally(() => {
        isLoading = false;
      });
  };
  const timer = setInterval(advance, frameMs);
  return {
    onKept(kept) {
      next = kept;
      begin();
    },
    lines: () => shown,
    dispose: () => clearInterval(timer),
  };
}
