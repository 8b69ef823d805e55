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

export const trajectoriesName = 'trajectories';
/** Trajectories that are kept besides those of improvements. */
const newestKept = 20;

type MakeTrace = () => Promise<Trace>;

export function trajectoryName(iteration: number): string {
  return `iteration-${String(iteration).padStart(4, '0')}.json`;
}

/** Decides which iterations keep their trajectory, as they come. */
export class KeptIterations {
  readonly #newest: number[] = [];
  readonly #improved = new Set<number>();
  #best = Number.NEGATIVE_INFINITY;

  /** `mean`: of the kept policy. Returns the iteration that is not kept any more; null: all are. */
  add(iteration: number, mean: number): number | null {
    this.#newest.push(iteration);
    if (mean > this.#best) {
      this.#best = mean;
      this.#improved.add(iteration);
    }
    const old = this.#newest.length <= newestKept ? undefined : this.#newest.shift();
    return old === undefined || this.#improved.has(old) ? null : old;
  }
}

export class TrajectoryFiles {
  readonly #folder: string;
  /** null: all are kept, as earlier versions did */
  readonly #choice: KeptIterations | null;
  /** by iteration, the oldest first; null: written, or there from an earlier session */
  readonly #kept = new Map<number, MakeTrace | null>();
  /** files that are not needed any more */
  #unneeded: string[] | null = null;

  constructor(runFolder: string, { keepsAll }: { readonly keepsAll: boolean }) {
    this.#folder = join(runFolder, trajectoriesName);
    this.#choice = keepsAll ? null : new KeptIterations();
    makeOwnFolder(this.#folder);
  }

  /** To be called for each iteration that kept a policy, in order. `mean`: of that policy. */
  add(iteration: number, mean: number, trace: MakeTrace): void {
    this.#kept.set(iteration, trace);
    const old = this.#choice?.add(iteration, mean) ?? null;
    if (old === null) return;
    this.#kept.delete(old);
    this.#unneeded?.push(trajectoryName(old));
  }

  /** Whether `save` would write any. */
  get lacksAny(): boolean {
    return [...this.#kept].some(([iteration, trace]) => trace !== null && !existsSync(this.#path(iteration)));
  }

  #path(iteration: number): string {
    return join(this.#folder, trajectoryName(iteration));
  }

  /** Writes what is missing, then removes what is not kept. A file that is there is that of its iteration. */
  async save(): Promise<void> {
    for (const [iteration, trace] of this.#kept) {
      if (trace === null) continue;
      const path = this.#path(iteration);
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
    if (this.#choice === null) return [];
    const kept = new Set([...this.#kept.keys()].map(trajectoryName));
    return readdirSync(this.#folder).filter((name) => /^iteration-\d+\.json$/.test(name) && !kept.has(name));
  }
}
