/** Plays episodes beside the page, in float64 or by WebAssembly. */
import { SingleThreadBackend } from '../../../engine.ts';

export const backend = new SingleThreadBackend();
