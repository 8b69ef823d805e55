/**
 * Compressed copies of the logged rollouts beside the journal of an imported run, because a journal contains no steps.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { CandidateLabel } from '../../methods/method.ts';
import type { Tee } from '../reference/files.ts';

export const rolloutsFolder = 'rollouts';

/** Name of a rollout file's copy in the run folder. */
export function rolloutsName(iteration: number, candidate: CandidateLabel): string {
  return `iteration-${String(iteration).padStart(4, '0')}-${candidate}.txt.gz`;
}

/** Name of a warm-up file's copy. */
export function warmupName(index: number): string {
  return `warmup-${String(index).padStart(4, '0')}.txt.gz`;
}

/** Runs `use` with a copying tee; resolves when the copy is complete, so that no partial copy remains. */
export async function withCopy<T>(path: string, use: (tee: Pick<Tee, 'copy'>) => Promise<T>): Promise<T> {
  const gzip = createGzip({ level: 6 });
  const file = createWriteStream(path, { flags: 'wx' });
  gzip.pipe(file);
  try {
    return await use({ copy: gzip as unknown as NonNullable<Tee['copy']> });
  } finally {
    gzip.end();
    await once(file, 'close');
  }
}

/** Compresses a small log file that is read elsewhere. */
export async function copyFile(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from), createGzip({ level: 6 }), createWriteStream(to, { flags: 'wx' }));
}
