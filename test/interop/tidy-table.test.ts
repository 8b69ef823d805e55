/** Runs as one table for other programs: CSV and Parquet contain the same rows. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { TidyParquet } from '../../src/interop/tidy/parquet.ts';
import { type TidyRow, tidyColumns, tidyRows } from '../../src/interop/tidy/rows.ts';
import { type Manifest, readManifest } from '../../src/runs/folder/manifest.ts';
import { readEvents } from '../../src/runs/journal/journal.ts';
import { runCli } from '../support/cli.ts';
import { scriptedModel, smallRun, temporaryFolder, uselessRun } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

/** Rows as a reader of Parquet sees them, whole numbers as numbers again. */
async function readParquet(path: string): Promise<Record<string, unknown>[]> {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k, typeof v === 'bigint' ? Number(v) : v])),
  );
}

const rowOf = (i: number): TidyRow => ({
  run: `läuft, "${i}"`,
  env: i % 3 === 0 ? 'CartPole-v1' : 'FrozenLake-v1',
  method: 'r2po',
  model: 'ollama/m',
  seed: 2 ** 32 - 1 - i,
  iteration: i + 1,
  candidate: i % 2 === 0 ? 'proposal' : 'revision',
  mean: i % 5 === 4 ? null : -0.1 * i,
  std: i % 4 === 3 ? null : 1 / (i + 3),
  kept: i % 2 === 1,
  episodes: i % 6 === 5 ? null : 2 ** 33 + 7 * i,
  calls: 2 * i,
  tokens: 1000 + 11 * i,
});

describe('a table in Parquet', () => {
  it('has typed columns, nulls, and row groups that never grow beyond their size', async () => {
    const path = join(root, 'rows.parquet');
    const rows = Array.from({ length: 23 }, (_, i) => rowOf(i));
    const table = new TidyParquet(path, 6);
    table.add(rows.slice(0, 4));
    table.add(rows.slice(4));
    table.finish();
    expect(await readParquet(path)).toEqual(rows);
    const { schema, row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect(groups.map((group) => Number(group.num_rows))).toEqual([6, 6, 6, 5]);
    expect(schema.slice(1).map(({ name }) => name)).toEqual(tidyColumns.map(({ name }) => name));
    const types = Object.fromEntries(schema.slice(1).map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      run: 'BYTE_ARRAY',
      seed: 'INT64',
      mean: 'DOUBLE',
      kept: 'BOOLEAN',
      tokens: 'INT64',
      episodes: 'INT64',
    });
  });

  it('can be empty', async () => {
    const path = join(root, 'empty.parquet');
    new TidyParquet(path).finish();
    expect(await readParquet(path)).toEqual([]);
  });
});

describe('r2po export', () => {
  it('writes the same rows as CSV and as Parquet, for runs of different lengths', async () => {
    const runs = [
      (await smallRun({ overrides: ['iterations=3'] })).folder,
      await uselessRun({ overrides: ['iterations=2'], model: scriptedModel(() => 'No.') }),
      (await smallRun({ overrides: ['iterations=1'] })).folder,
    ];
    const out = join(root, 'deep', 'tables');
    for (const format of ['csv', 'parquet']) {
      expect(await runHere(['export', ...runs, '--format', format, '--out', out])).toMatchObject({
        code: 0,
        stdout: `${join(out, `runs.${format}`)}\n`,
      });
    }
    const rows = await readParquet(join(out, 'runs.parquet'));
    const [header, ...lines] = readFileSync(join(out, 'runs.csv'), 'utf8').trimEnd().split('\n');
    expect(header!.split(',')).toEqual(Object.keys(rows[0]!));
    expect(lines).toEqual(
      rows.map((row) =>
        Object.values(row)
          .map((value) => (value === null ? '' : String(typeof value === 'boolean' ? Number(value) : value)))
          .join(','),
      ),
    );
    const expected = runs.flatMap((folder) =>
      tidyRows(folder.split(/[\\/]/).at(-1) ?? '', readManifest(folder) as Manifest, readEvents(folder).events),
    );
    expect(rows).toEqual(expected);
    expect(new Set(rows.map(({ run }) => run)).size).toBe(2);
    expect(rows.filter(({ kept }) => kept)).toHaveLength(4);
    expect(existsSync(join(out, 'runs.parquet.tmp'))).toBe(false);
  });

  it('accepts folders of runs, and names other files', async () => {
    const runsDir = join(root, 'several');
    for (const seed of [4, 9]) await smallRun({ runsDir, seed, overrides: ['iterations=1'] });
    mkdirSync(join(runsDir, 'notes'));
    const { code, stderr } = await runCli(['export', runsDir, '--out', join(root, 'all')]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`left out: ${join(runsDir, 'notes')}: neither is nor contains a run folder`);
    const seeds = readFileSync(join(root, 'all', 'runs.csv'), 'utf8')
      .split('\n')
      .slice(1, -1)
      .map((row) => row.split(',')[4]);
    expect(new Set(seeds)).toEqual(new Set(['4', '9']));
    const nothing = await runHere(['export', join(runsDir, 'notes'), '--out', join(root, 'none')]);
    expect(nothing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('notes", which neither is nor contains a run folder'),
    });
  });

  it('tells runs apart whose folders have the same name, and so do calls and a report', async () => {
    const places = ['first', 'second'].map((name) => join(root, 'places', name));
    for (const [i, runsDir] of places.entries()) {
      const { folder } = await smallRun({ runsDir, seed: 20 + i, overrides: ['iterations=1'] });
      cpSync(folder, join(runsDir, 'trial'), { recursive: true });
      rmSync(folder, { recursive: true });
    }
    const { folder: other } = await smallRun({ runsDir: places[0]!, seed: 30, overrides: ['iterations=1'] });
    const names = [basename(other), 'first/trial', 'second/trial'];
    const out = join(root, 'same-names');
    expect((await runHere(['export', ...places, '--out', out])).code).toBe(0);
    const rows = readFileSync(join(out, 'runs.csv'), 'utf8').split('\n').slice(1, -1);
    expect(new Set(rows.map((row) => row.split(',')[0]))).toEqual(new Set(names));
    await runHere(['export', ...places, '--format', 'calls', '--out', join(out, 'calls.jsonl')]);
    const calls = readFileSync(join(out, 'calls.jsonl'), 'utf8').trimEnd().split('\n');
    expect(new Set(calls.map((line) => (JSON.parse(line) as { run: string }).run))).toEqual(new Set(names));
    const { stdout } = await runHere(['report', ...places, '--by', 'run', '--out', out, '--json']);
    const { groups } = JSON.parse(stdout) as { groups: { group: { run: string } }[] };
    expect(groups.map(({ group }) => group.run)).toEqual(names);
    for (const name of names) expect(readFileSync(join(out, 'returns.vl.json'), 'utf8')).toContain(`(${name})`);
  });

  it('has the other runs when one is damaged, and fails at its end', async () => {
    const runsDir = join(root, 'damaged');
    for (const seed of [4, 9]) await smallRun({ runsDir, seed, overrides: ['iterations=1'] });
    const [broken] = readdirSync(runsDir).map((name) => join(runsDir, name));
    writeFileSync(join(broken!, 'events.jsonl'), 'no record\n{}\n');
    const out = join(root, 'rest');
    const { code, stdout, stderr } = await runHere(['export', runsDir, '--out', out]);
    expect(code).toBe(1);
    expect(stdout).toContain('runs.csv');
    expect(stderr).toMatch(/left out: .*events\.jsonl:1/);
    expect(readFileSync(join(out, 'runs.csv'), 'utf8').split('\n').length).toBeGreaterThan(2);
    expect((await runHere(['export', broken!, '--out', join(root, 'none')])).stdout).toBe('');
  });

  it('keeps an existing table, and reports where it cannot write', async () => {
    const { folder } = await smallRun({ overrides: ['iterations=1'] });
    const out = join(root, 'twice');
    const args = ['export', folder, '--format', 'parquet', '--out', out];
    expect((await runHere(args)).code).toBe(0);
    const again = await runHere(args);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('--force');
    expect((await runHere([...args, '--force'])).code).toBe(0);
    const blocked = await runHere([...args.slice(0, -1), join(out, 'runs.parquet', 'below')]);
    expect(blocked.code).toBe(2);
    expect(blocked.stderr).toMatch(/cannot write ".*below.runs\.parquet"/);
  });
});
