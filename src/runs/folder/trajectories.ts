/**
 * `trajectories/`: the median trajectories of kept policies. Those of all iterations of a long run would take more room
 * than the rest of it, so a run keeps those of improvements and the newest ones.
 */
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOwnFolder, replaceFileAsync } from '../../base/node/atomic-file.ts';
import { trajectoryDocument } from '../../evaluation/trajectory-file.ts';
import type { Trace } from '../../rollout/job.ts';

const folderName = 'trajectories';
/** Trajectories that are kept besides those of improvements. */
const newestKept = 20;

type MakeTrace = () => Promise<Trace>;

function fileName(iteration: number): string {
  return `iteration-${String(iteration).padStart(4, '0')}.json`;
}

export class TrajectoryFiles {
  readonly #folder: string;
  /** whether all are kept, as earlier versions did */
  readonly #keepsAll: boolean;
  /** by iteration, the oldest first; null: written, or there from an earlier session */
  readonly #kept = new Map<number, MakeTrace | null>();
  readonly #newest: number[] = [];
  /** files that are not needed any more */
  #unneeded: string[] | null = null;
  #best = Number.NEGATIVE_INFINITY;
  readonly #improved = new Set<number>();

  constructor(runFolder: string, { keepsAll }: { readonly keepsAll: boolean }) {
    this.#folder = join(runFolder, folderName);
    this.#keepsAll = keepsAll;
    makeOwnFolder(this.#folder);
  }

  /** To be called for each iteration that kept a policy, in order. `mean`: of that policy. */
  add(iteration: number, mean: number, trace: MakeTrace): void {
    this.#kept.set(iteration, trace);
    this.#newest.push(iteration);
    if (mean > this.#best) {
      this.#best = mean;
      this.#improved.add(iteration);
    }
    const old = this.#keepsAll || this.#newest.length <= newestKept ? undefined : this.#newest.shift();
    if (old === undefined || this.#improved.has(old)) return;
    this.#kept.delete(old);
    this.#unneeded?.push(fileName(old));
  }

  /** Writes what is missing, then removes what is not kept. A file that is there is that of its iteration. */
  async save(): Promise<void> {
    for (const [iteration, trace] of this.#kept) {
      if (trace === null) continue;
      const path = join(this.#folder, fileName(iteration));
      if (!existsSync(path)) {
        await replaceFileAsync(path, `${JSON.stringify(trajectoryDocument(await trace()))}\n`, 'rebuildable');
      }
      this.#kept.set(iteration, null);
    }
    for (const name of this.#unneeded ?? this.#foreign()) await rm(join(this.#folder, name), { force: true });
    this.#unneeded = [];
  }

  /** Trajectories that a killed session has left, of iterations that are not kept. */
  #foreign(): string[] {
    if (this.#keepsAll) return [];
    const kept = new Set([...this.#kept.keys()].map(fileName));
    return readdirSync(this.#folder).filter((name) => /^iteration-\d+\.json$/.test(name) && !kept.has(name));
  }
}
