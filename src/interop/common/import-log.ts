/** Account of an import: how many files were read, which were skipped and why, and the digest of all. */
import { createHash, type Hash } from 'node:crypto';
import type { FileProblem } from '../reference/files.ts';

export interface SkippedFile extends FileProblem {
  readonly path: string;
}

/** The import log of one run. */
export class ImportLog {
  readonly digest: Hash = createHash('sha256');
  /** files, or what is left of them after a fault */
  readonly skipped: SkippedFile[] = [];
  /** single lines of files that were read otherwise */
  readonly skippedLines: SkippedFile[] = [];
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
  skipLine(path: string, { expected, found }: FileProblem): void {
    this.skippedLines.push({ path, expected, found });
  }
}
