/** What the list of runs shows of a `metrics.csv`, which is read on where it has grown. */
import { closeSync, fstatSync } from 'node:fs';
import { openRegular } from '../../base/node/read-file.ts';
import { partsOf } from '../../runs/journal/journal.ts';

/** Points of a sparkline. */
const sparklinePoints = 32;
/** Values that are kept; of a longer run every second one, every fourth ... */
const mostValues = 1024;
/** Bytes that are read at once: more than the rows of the longest runs have. */
const mostBytes = 256 * 2 ** 20;
/** Iterations that raised the best mean last: the summary may be a little older than the metrics. */
const latestRaises = 4;

/** A kept policy that was the best of the run so far. */
interface Raise {
  readonly iteration: number;
  /** standard deviation over its episodes */
  readonly std: number | null;
}

const numberOf = (text: string | undefined): number | null => {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
};

export class MetricsReading {
  #inode = -1;
  /** of the whole lines that were read */
  #bytes = 0;
  #columns: ReadonlyMap<string, number> | null = null;
  /** values of "best", of every so many-th row from the first on */
  #values: (number | null)[] = [];
  #every = 1;
  #rows = 0;
  #last: number | null = null;
  #raises: Raise[] = [];

  /** Reads what is new in the file, or all of another one. Throws the errors of the file system. */
  update(path: string): void {
    const fd = openRegular(path);
    try {
      const { ino, size } = fstatSync(fd);
      if (ino !== this.#inode || size < this.#bytes) this.#begin(ino);
      const fresh = Buffer.concat([...partsOf(fd, this.#bytes, Math.min(size, this.#bytes + mostBytes))]);
      // The last line may be torn.
      const end = fresh.lastIndexOf('\n') + 1;
      this.#bytes += end;
      if (end > 0) this.#addLines(fresh.toString('utf8', 0, end - 1).split('\n'));
    } finally {
      closeSync(fd);
    }
  }

  #begin(inode: number): void {
    this.#inode = inode;
    this.#bytes = 0;
    this.#columns = null;
    this.#values = [];
    this.#every = 1;
    this.#rows = 0;
    this.#last = null;
    this.#raises = [];
  }

  #addLines(lines: readonly string[]): void {
    const [header, ...rows] = this.#columns === null ? lines : ['', ...lines];
    this.#columns ??= new Map(header!.split(',').map((name, column) => [name, column]));
    for (const row of rows) this.#addRow(row.split(','));
  }

  #addRow(cells: readonly string[]): void {
    const of = (name: string): number | null => numberOf(cells[this.#columns!.get(name) ?? -1]);
    const best = of('best');
    if (this.#rows++ % this.#every === 0) this.#values.push(best);
    this.#last = best;
    if (this.#values.length > mostValues) {
      this.#values = this.#values.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
    }
    const iteration = of('iteration');
    if (best === null || iteration === null || of('mean') !== best) return;
    this.#raises = [...this.#raises.slice(1 - latestRaises), { iteration, std: of('std') }];
  }

  /** The best mean over the run, at most 32 points. */
  sparkline(): (number | null)[] {
    const points = Math.min(this.#rows, sparklinePoints);
    return Array.from({ length: points }, (_, i) => {
      const row = points === 1 ? 0 : Math.round((i * (this.#rows - 1)) / (points - 1));
      return row === this.#rows - 1 ? this.#last : this.#values[Math.floor(row / this.#every)]!;
    });
  }

  /** Standard deviation over the episodes of the best policy, which this iteration kept; null: not known. */
  deviation(iteration: number): number | null {
    return this.#raises.find((raise) => raise.iteration === iteration)?.std ?? null;
  }
}
