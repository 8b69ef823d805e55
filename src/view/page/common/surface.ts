/**
 * What to draw on a canvas with. Its pixels stay in main memory: where a browser draws without a GPU, canvases on its
 * software adapter fall behind, until the page has one frame a second.
 */
export const surfaceOf = (canvas: HTMLCanvasElement): CanvasRenderingContext2D | null =>
  canvas.getContext('2d', { willReadFrequently: true });
