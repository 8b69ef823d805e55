/**
 * The parts of Vega that charts need. The build replaces the compiled module by a bundle of it and all that it imports,
 * as Node.js takes half a second to load its 300 files.
 */
export { parse, View } from 'vega';
export { compile } from 'vega-lite';
