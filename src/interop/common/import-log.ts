/** What became of the files of a log: how many were read, which were not and why, and the digest of all of them. */
import { createHash, type Hash } from 'node:crypto';
import type { Problem } from '../reference/files.ts';

export interface SkippedFile extends Problem {
  readonly path: string;
}

/** Of one run on its way in. */
export class Account {
  readonly digest: Hash = createHash('sha256');
  readonly skipped: SkippedFile[] = [];
  readonly notes: string[] = [];
  read = 0;

  begin(path: string): void {
    this.digest.update(`\0${path}\0`);
  }
  done(path: string, problem: Problem | null): void {
    if (problem) this.skip(path, problem);
    else this.read += 1;
  }
  skip(path: string, { expected, found }: Problem): void {
    this.skipped.push({ path, expected, found });
  }
}
