/** Input that is read in parts. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InputText } from '../../src/base/input-text.ts';
import { readLines } from '../../src/config/input.ts';

const path = join(mkdtempSync(join(tmpdir(), 'r2po-test-')), 'lines');

async function linesOf(text: string): Promise<InputText[]> {
  writeFileSync(path, text);
  const lines: InputText[] = [];
  for await (const line of readLines('test', path, 'a file')) lines.push(line);
  return lines;
}

/** CPU time, ms: the least of a few. */
async function cpuTime(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return Math.min(...times);
}

describe('readLines', () => {
  it('gives lines that are longer than the parts in which a file is read', async () => {
    const long = 'ä'.repeat(200_000);
    const lines = ['first', long, '  ', `${long}end`, 'last'];
    expect(await linesOf(lines.join('\n'))).toEqual(
      [0, 1, 3, 4].map((i) => ({ name: path, text: lines[i], line: i + 1 })),
    );
    expect(await linesOf(`${long}\n`)).toEqual([{ name: path, text: long, line: 1 }]);
  });

  it('reads a long line in linear time', async () => {
    const [short, long] = [2 ** 20, 2 ** 24].map((length) => 'x'.repeat(length));
    const times = [await cpuTime(() => linesOf(short!)), await cpuTime(() => linesOf(long!))];
    expect(times[1]! / times[0]!).toBeLessThan(64);
  });
});
