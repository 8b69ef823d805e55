/** `trajectories/` holds those of improvements and the newest 20, however often a run was broken off. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Trace } from '../../src/rollout/job.ts';
import { TrajectoryFiles } from '../../src/runs/folder/trajectories.ts';
import { temporaryFolder } from '../support/experiment.ts';

const trace: Trace = {
  seed: 1,
  return: 2,
  length: 0,
  end: 'terminated',
  steps: [],
  final: { state: [], obs: [] },
} as never;
/** Kept means of 40 iterations: improvements are the 1st, the 4th and the 11th; the others are ties and worse ones. */
const means = Array.from({ length: 40 }, (_, i) => (i < 3 ? 5 : i < 10 ? 7 : 9) - (i % 2 && i !== 3 ? 1 : 0));
const expected = [1, 4, 11, ...Array.from({ length: 20 }, (_, i) => 21 + i)];

const numbersIn = (folder: string) =>
  readdirSync(join(folder, 'trajectories'))
    .map((name) => Number(/^iteration-(\d+)\.json$/.exec(name)?.[1]))
    .sort((a, b) => a - b);

/** A session that reads `from` iterations in its journal and plays up to `to`. */
async function session(folder: string, from: number, to: number, keepsAll = false): Promise<number> {
  const files = new TrajectoryFiles(folder, { keepsAll });
  let made = 0;
  for (let i = 1; i <= to; i++) {
    files.add(i, means[i - 1]!, async () => {
      made += 1;
      return trace;
    });
    if (i > from) await files.save();
  }
  if (from >= to) await files.save();
  return made;
}

describe('trajectories of a run', () => {
  it('are those of improvements and the newest 20', async () => {
    const folder = temporaryFolder();
    expect(await session(folder, 0, 40)).toBe(40);
    expect(numbersIn(folder)).toEqual(expected);
  });

  it('are the same after any interruption, and nothing is played that is not kept', async () => {
    for (const cut of [1, 15, 25, 39, 40]) {
      const folder = temporaryFolder();
      await session(folder, 0, cut);
      // A kill between the writing of a file and the removal of another one.
      if (cut > 22) writeFileSync(join(folder, 'trajectories', 'iteration-0002.json'), '{}');
      expect(await session(folder, cut, 40)).toBe(40 - cut);
      expect(numbersIn(folder)).toEqual(expected);
      // Deleted files come back.
      const bare = temporaryFolder();
      expect(await session(bare, 40, 40)).toBe(expected.length);
      expect(numbersIn(bare)).toEqual(expected);
    }
  });

  it('of a run of an earlier version stay where they are', async () => {
    const folder = temporaryFolder();
    await session(folder, 0, 40, true);
    expect(numbersIn(folder)).toHaveLength(40);
  });
});
