/** Beside the record of an imported run: the rollouts as they were logged, packed, for a record holds no steps. */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { CandidateLabel } from '../../methods/method.ts';
import type { Tee } from '../reference/files.ts';

export const rolloutsFolder = 'rollouts';

/** The copy of a rollout file in the run folder. */
export function rolloutsName(iteration: number, candidate: CandidateLabel): string {
  return `iteration-${String(iteration).padStart(4, '0')}-${candidate}.txt.gz`;
}

/** The copy of a warm-up's file. */
export function warmupName(index: number): string {
  return `warmup-${String(index).padStart(4, '0')}.txt.gz`;
}

/** Closes with the episodes of the record, so that no half-written copy stays. */
export async function withCopy<T>(path: string, use: (tee: Pick<Tee, 'copy'>) => Promise<T>): Promise<T> {
  const gzip = createGzip({ level: 6 });
  const file = createWriteStream(path);
  gzip.pipe(file);
  try {
    return await use({ copy: gzip as unknown as NonNullable<Tee['copy']> });
  } finally {
    gzip.end();
    await once(file, 'close');
  }
}

/** Packs a small file of the log that is read elsewhere. */
export async function copyFile(from: string, to: string): Promise<void> {
  await pipeline(createReadStream(from), createGzip({ level: 6 }), createWriteStream(to));
}
