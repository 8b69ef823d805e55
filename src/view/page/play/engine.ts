/** The engine as a script that the page loads when it is asked to play: the global `r2po_engine`. */
export * from '../../../engine.ts';
