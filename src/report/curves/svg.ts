/** Vega-Lite charts as SVG, drawn without a browser; text keeps the viewer's fonts. */

export async function renderChart(specification: object): Promise<string> {
  // Slow to load, and most commands draw nothing.
  const { compile, parse, View } = await import('./vega.ts');
  const { spec } = compile(specification as Parameters<typeof compile>[0]);
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
