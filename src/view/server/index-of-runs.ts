/** The list of runs, read again whenever somebody asks, with what has changed since. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextTurn } from '../../base/async.ts';
import type { RowChanges, RunRow } from '../api/index-of-runs.ts';
import { RowReader } from './rows.ts';
import type { FoundFolder, RunRoot } from './run-root.ts';

/** ms after which other requests get their turn while many rows are read. */
const turnMs = 20;
const freshMs = 100;

interface Entry {
  readonly row: RunRow;
  readonly folder: string;
  readonly problem: string | null;
  /** of the scan in which the row changed last */
  readonly scan: number;
}

export class IndexOfRuns {
  readonly #root: RunRoot;
  readonly #reader: RowReader;
  readonly #entries = new Map<string, Entry>();
  readonly #gone = new Map<string, number>();
  /** tells the numbers of this process apart from those of another one */
  readonly #name = randomBytes(4).toString('hex');
  readonly #fresh: number;
  readonly #signal: AbortSignal | null;
  #scan = 0;
  #scanned = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;
  #checking: Promise<void> | null = null;
  /** what is wrong with the root; null: nothing */
  problem: string | null = null;

  /** `fresh`: ms for which a list that was read is not read again; `signal`: fires when nobody needs the list any more */
  constructor(root: RunRoot, fresh = freshMs, signal: AbortSignal | null = null) {
    this.#root = root;
    this.#reader = new RowReader(root);
    this.#fresh = fresh;
    this.#signal = signal;
  }

  /** Names the state of the list, for `changesSince`. */
  get revision(): string {
    return `${this.#name}-${this.#scan}`;
  }

  rows(): RunRow[] {
    return [...this.#entries.values()].map(({ row }) => row);
  }

  /** Reads what has changed on the disk; several that ask at the same time wait for one reading. */
  refresh(): Promise<void> {
    if (this.#running) return this.#running;
    if (performance.now() - this.#scanned < this.#fresh) return Promise.resolve();
    this.#running = this.#read().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** The same with every run checked, which `refresh` leaves for later: runs that contradict themselves are damaged. */
  async refreshChecked(): Promise<void> {
    await this.refresh();
    await this.#checking;
    this.#scanned = Number.NEGATIVE_INFINITY;
    await this.refresh();
  }

  async #read(): Promise<void> {
    const { folders, problem } = this.#root.find();
    const scan = this.#scan + 1;
    const seen = new Set<string>();
    await this.#each(folders, (found) => {
      if (seen.has(found.id)) return;
      seen.add(found.id);
      this.#enter(found, scan);
    });
    for (const [id] of this.#entries) {
      if (seen.has(id)) continue;
      this.#entries.delete(id);
      this.#gone.set(id, scan);
    }
    this.#reader.keepOnly(new Set(folders.map(({ folder }) => folder)));
    this.problem = problem;
    this.#scan = scan;
    this.#scanned = performance.now();
    // A list of thousands is shown at once; the next reading finds the rows that this changes.
    this.#checking ??= this.#each(folders, (found) => {
      if (!this.#signal?.aborted) this.#reader.readChecked(found);
    }).finally(() => {
      this.#checking = null;
    });
  }

  /** Calls `act` for each folder, while other requests get their turns. */
  async #each(folders: readonly FoundFolder[], act: (found: FoundFolder) => void): Promise<void> {
    let turn = performance.now();
    for (const found of folders) {
      act(found);
      if (performance.now() - turn < turnMs) continue;
      await nextTurn();
      turn = performance.now();
    }
  }

  #enter(found: FoundFolder, scan: number): void {
    const row = this.#reader.read(found);
    this.#gone.delete(found.id);
    if (this.#entries.get(found.id)?.row === row) return;
    this.#entries.set(found.id, { row, folder: found.folder, problem: found.problem, scan });
  }

  /** Rows that are new or changed since a revision, and ids that are gone; everything where the revision is not of this process. */
  changesSince(revision: string | null): RowChanges {
    const [name, number] = revision?.split('-') ?? [];
    const after = name === this.#name && /^\d+$/.test(number ?? '') ? Number(number) : -1;
    return {
      rows: [...this.#entries.values()].filter(({ scan }) => scan > after).map(({ row }) => row),
      gone: after < 0 ? [] : [...this.#gone].filter(([, scan]) => scan > after).map(([id]) => id),
      all: after < 0,
    };
  }

  /**
   * The folder and row of an id; null: no such run. Ids are looked up among the folders that were found, never made into
   * paths, and a folder that has become a link out of the root since is none.
   */
  async find(id: string): Promise<{ readonly folder: string; readonly row: RunRow } | null> {
    const asked = performance.now();
    if (!this.#entries.has(id)) await this.refresh();
    if (!this.#entries.has(id) && this.#scanned < asked) {
      // The run may have begun since the list was read.
      await sleep(this.#fresh);
      // A timer may fire a little early, when the list still counts as fresh.
      this.#scanned = Number.NEGATIVE_INFINITY;
      await this.refresh();
    }
    const entry = this.#entries.get(id);
    if (entry === undefined || this.#root.linkProblem(entry.folder) !== null) return null;
    // The list finds out about a change of its row by itself.
    return {
      folder: entry.folder,
      row: this.#reader.readChecked({ id, folder: entry.folder, problem: entry.problem }),
    };
  }
}
