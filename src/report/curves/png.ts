/** SVG documents as PNG and as pixels, identical on every machine: with a bundled font instead of system fonts. */
import { createRequire } from 'node:module';
import { errorCode, R2poError, UsageError } from '../../base/errors.ts';

/** Pixels per unit of the document: sharp on dense screens and in print. */
const scale = 2;

const family = 'DejaVu Sans';
const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

/** The package for PNG files is optional, and was left out. */
export class NoPngError extends UsageError {}

/**
 * Throws a `NoPngError` when the package is not installed, and an `R2poError` when it cannot be loaded, as where its native
 * part is missing.
 */
async function loadResvg(): Promise<typeof import('@resvg/resvg-js')> {
  try {
    return await import('@resvg/resvg-js');
  } catch (cause) {
    if (errorCode(cause) === 'ERR_MODULE_NOT_FOUND') {
      const remedy = 'run "npm install @resvg/resvg-js", or use SVG';
      throw new NoPngError(
        'png',
        `the package @resvg/resvg-js, which draws PNG files, is not installed; ${remedy}`,
        cause,
      );
    }
    const [reason] = String((cause as Error).message).split('\n');
    throw new R2poError(
      'png',
      `expected the package @resvg/resvg-js, which draws PNG files, got "${reason}"; run: npm install @resvg/resvg-js`,
      { cause },
    );
  }
}

/** Red, green, blue and opacity of each pixel, 0 ... 255, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** Draws a document `width` pixels wide, without text. */
export async function pixelRenderer(width: number): Promise<(svg: string) => Pixels> {
  const { Resvg } = await loadResvg();
  return (svg) => {
    const image = new Resvg(svg, { fitTo: { mode: 'width', value: width }, font: { loadSystemFonts: false } }).render();
    return { width: image.width, height: image.height, rgba: image.pixels };
  };
}

/** Why no PNG file can be drawn here; null: they can. */
export async function pngProblem(): Promise<R2poError | null> {
  try {
    await loadResvg();
    return null;
  } catch (error) {
    if (error instanceof R2poError) return error;
    throw error;
  }
}

export async function renderPng(svg: string): Promise<Uint8Array> {
  // Native, and most commands draw nothing.
  const { Resvg } = await loadResvg();
  const { resolve } = createRequire(import.meta.url);
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: fonts.map((name) => resolve(`dejavu-fonts-ttf/ttf/${name}`)),
      defaultFontFamily: family,
      sansSerifFamily: family,
    },
  });
  return image.render().asPng();
}
