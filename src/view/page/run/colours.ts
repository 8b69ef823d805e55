/** Scales of colours for numbers. Both are told apart by colour-blind people, and every number stands beside its colour. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** `#rgb`, `#rrggbb` or `rgb(...)` as a CSS variable has it */
export function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (hex) {
    const wide = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
    return [0, 2, 4].map((i) => Number.parseInt(wide.slice(i, i + 2), 16)) as unknown as Rgb;
  }
  const [red = 128, green = 128, blue = 128] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

export const cssColour = ([red, green, blue]: Rgb): string =>
  `rgb(${Math.round(red)} ${Math.round(green)} ${Math.round(blue)})`;

const mixed = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** The colour at `value` between -1 and 1 of a scale from `low` over `middle` to `high`. */
export function diverging(value: number, low: Rgb, middle: Rgb, high: Rgb): Rgb {
  const share = Math.min(1, Math.abs(value) || 0);
  return mixed(middle, value < 0 ? low : high, share);
}

// Samples of viridis at equal distances.
const viridis: readonly Rgb[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
];

/** The colour at `share` between 0 and 1. */
export function sequential(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share || 0)) * (viridis.length - 1);
  const from = Math.min(viridis.length - 2, Math.floor(at));
  return mixed(viridis[from]!, viridis[from + 1]!, at - from);
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The ratio of contrast of WCAG 2. */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const black: Rgb = [10, 14, 20];
const white: Rgb = [255, 255, 255];

/** Black or white, whichever reads better on this colour. */
export const inkOn = (background: Rgb): Rgb =>
  contrast(background, black) >= contrast(background, white) ? black : white;
