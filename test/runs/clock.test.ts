/** How long a run took, when the system's clock is set meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { stampClock } from '../../src/base/clock.ts';
import { eventsOf, readJson, smallRun, temporaryFolder } from '../support/experiment.ts';

const hour = 3_600_000;
/** The system's clock: it is set by `step` at each look at it. */
function setClock(start: number, step: number): void {
  let time = start;
  vi.spyOn(Date, 'now').mockImplementation(() => {
    time += step;
    return time;
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a clock for stamps', () => {
  it('goes on from the time of its start, whatever the system says later', () => {
    let [wall, steady] = [1000, 7];
    const now = stampClock(
      () => wall,
      () => steady,
    );
    expect(now()).toBe(1000);
    steady += 40;
    wall -= 5000;
    expect(now()).toBe(1040);
  });
});

describe('a run under a clock that is set', () => {
  it('reaches no budget of time by that, and takes as long as its sessions together', async () => {
    const runsDir = temporaryFolder();
    setClock(Date.UTC(2026, 5, 1), hour);
    const overrides = ['iterations=3', 'budget.max_time_s=100'];
    const stopped = smallRun({ runsDir, overrides: [...overrides, 'budget.max_calls=2'] });
    await expect(stopped).rejects.toThrow('budget of 2 model calls');
    const [folder] = readdirSync(runsDir).map((name) => join(runsDir, name));
    // Set back by a year between the sessions, and on and on in the second one.
    setClock(Date.UTC(2025, 5, 1), -hour);
    const { summary } = await smallRun({ folder: folder!, overrides });
    expect(summary.wall_s).toBeGreaterThan(0);
    expect(summary.wall_s).toBeLessThan(100);
    expect(readJson(folder!).wall_s).toBe(summary.wall_s);
    const [header, ...rows] = readFileSync(join(folder!, 'metrics.csv'), 'utf8').trim().split('\n');
    const times = rows.map((row) => Number(row.split(',')[header!.split(',').indexOf('wall_s')]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // The stamps of each session begin with the time of its start.
    const years = eventsOf(folder!).map(({ time }) => time.slice(0, 4));
    expect(new Set(years)).toEqual(new Set(['2026', '2025']));
  });
});
