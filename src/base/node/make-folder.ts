/** Making folders. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and the missing ones above it. Throws the error of the file system.
 *
 * Node's own recursive `mkdir` never returns below `/proc`, where making a folder fails with ENOENT although its parent is
 * there.
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) {
    missing.push(at);
    if (dirname(at) === at) break;
  }
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process may have been faster.
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
    }
  }
  // Throws EEXIST where something else has the name.
  if (!statSync(path).isDirectory()) mkdirSync(path);
}
