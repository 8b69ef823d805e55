/**
 * The parts of Vega that charts need, as one module that is loaded when a chart is drawn. The build bundles it, as
 * Node.js takes half a second to load the 300 files of Vega.
 */
export { parse, View } from 'vega';
export { compile } from 'vega-lite';
