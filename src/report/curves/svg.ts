/** Vega-Lite charts as SVG, drawn without a browser; text keeps the viewer's fonts. */
import { inertLine } from '../../base/printable.ts';

/** A specification without what a picture cannot show: XML allows no control characters. */
export function inertSpec<T>(value: T): T {
  if (typeof value === 'string') return inertLine(value).replace(unpaired, '\uFFFD') as T;
  if (Array.isArray(value)) return value.map(inertSpec) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inertSpec(inner)])) as T;
}

/** Halves of a character, and the two codes that are no characters in XML. */
const unpaired = /[\ud800-\udfff\ufffe\uffff]/gu;

export async function renderChart(specification: object): Promise<string> {
  // Slow to load, and most commands draw nothing.
  const { compile, parse, View } = await import('./vega.ts');
  const { spec } = compile(inertSpec(specification) as Parameters<typeof compile>[0]);
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Common style of all charts, with a white background for dark pages. */
export const chartStyle = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
  config: { font: 'sans-serif', view: { stroke: null }, axis: { labelColor: '#333', titleColor: '#333' } },
} as const;
