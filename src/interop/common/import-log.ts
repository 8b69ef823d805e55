/** What became of the files of a log: how many were read, which were not and why, and the digest of all of them. */
import { createHash, type Hash } from 'node:crypto';
import type { FileProblem } from '../reference/files.ts';

export interface SkippedFile extends FileProblem {
  readonly path: string;
}

/** Of one run on its way in. */
export class ImportLog {
  readonly digest: Hash = createHash('sha256');
  readonly skipped: SkippedFile[] = [];
  readonly notes: string[] = [];
  read = 0;

  begin(path: string): void {
    this.digest.update(`\0${path}\0`);
  }
  done(path: string, problem: FileProblem | null): void {
    if (problem) this.skip(path, problem);
    else this.read += 1;
  }
  skip(path: string, { expected, found }: FileProblem): void {
    this.skipped.push({ path, expected, found });
  }
}
