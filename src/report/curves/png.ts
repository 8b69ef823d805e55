/** SVG documents as PNG, identical on every machine: with a bundled font instead of system fonts. */
import { createRequire } from 'node:module';

/** Pixels per unit of the document: sharp on dense screens and in print. */
const scale = 2;

const family = 'DejaVu Sans';
const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

export async function renderPng(svg: string): Promise<Uint8Array> {
  // Native, and most commands draw nothing.
  const { Resvg } = await import('@resvg/resvg-js');
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
