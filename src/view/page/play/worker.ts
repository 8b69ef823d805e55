/** Plays episodes beside the page: the engine in a worker. */
declare function importScripts(...urls: string[]): void;
declare const r2po_engine: typeof import('./engine.ts');

importScripts('engine.js');
r2po_engine.serveWorker(self as unknown as Parameters<typeof r2po_engine.serveWorker>[0]);
