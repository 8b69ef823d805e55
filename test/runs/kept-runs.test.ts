/** Run folders as earlier versions wrote them: every command that reads or resumes runs still takes them. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunConfig, requireRun } from '../../src/runs/folder/folder.ts';
import { runHash } from '../../src/runs/folder/identity.ts';
import { readEvents } from '../../src/runs/journal/journal.ts';
import { readJson, temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

/** `format`: of the journal; `analysis`: one that takes runs of the method; the others refuse a single candidate. */
const kept = [
  { name: 'earlier-run', format: 1, iterations: 3, candidates: 2, analysis: 'edits' },
  { name: 'stopped-run', format: 1, iterations: 4, candidates: 1, analysis: null },
  { name: 'finished-run', format: 1, iterations: 2, candidates: 2, analysis: 'edits' },
  { name: 'format-2-stopped-run', format: 2, iterations: 4, candidates: 1, analysis: null },
  { name: 'format-2-finished-run', format: 2, iterations: 2, candidates: 2, analysis: 'edits' },
] as const;

const source = (name: string) => join('test', 'cases', name);

async function succeeds(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(...args);
  expect({ code, stderr: code === 0 ? '' : stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** A copy in a folder for runs, resumed to its end. */
async function resumedCopy(name: string): Promise<string> {
  const runsDir = temporaryFolder();
  const folder = join(runsDir, name);
  cpSync(source(name), folder, { recursive: true });
  await succeeds(
    'run',
    join(folder, 'config.yaml'),
    '--runs-dir',
    runsDir,
    '--name',
    name,
    '--resume',
    '--max-calls',
    '99',
  );
  return folder;
}

describe.each(kept)('$name', ({ name, format, iterations, candidates, analysis }) => {
  it('has the hash that it was found by', async () => {
    expect(runHash(await readRunConfig(source(name)))).toBe(requireRun(source(name)).config_hash);
  });

  it('replays', async () => {
    const report = JSON.parse(await succeeds('replay', source(name), '--reworded', '--json'));
    expect(report).toMatchObject({ equal: true });
    expect(report.iterations).toBeGreaterThan(0);
  });

  it('resumes, and is reported, analysed and exported', async () => {
    const folder = await resumedCopy(name);
    const before = readFileSync(join(source(name), 'events.jsonl'), 'utf8');
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8').startsWith(before)).toBe(true);
    expect(readJson(folder)).toMatchObject({ status: 'finished', iterations });
    expect(JSON.parse(await succeeds('verify', folder, '--json'))).toMatchObject({ runs: [{ ok: true, format }] });
    const log = readEvents(folder);
    expect(log.format).toBe(format);

    const { groups } = JSON.parse(await succeeds('report', folder, '--json'));
    expect(groups).toMatchObject([{ runs: [{ folder, status: 'finished', iterations }] }]);
    if (analysis !== null) {
      const analysed = JSON.parse(await succeeds('analyze', analysis, folder, '--json'));
      expect(analysed.counts).toMatchObject({ runs: 1, iterations });
    }
    const out = join(folder, '..', 'out');
    await succeeds('export', folder, '--out', out);
    const rows = readFileSync(join(out, 'runs.csv'), 'utf8').trim().split('\n');
    expect(rows).toHaveLength(1 + iterations * candidates);
    await succeeds('export', folder, '--format', 'reference', '--out', join(out, 'log'));
    const calls = join(out, 'calls.jsonl');
    await succeeds('export', folder, '--format', 'calls', '--out', calls);
    const made = log.events.filter(({ type }) => type === 'llm_call');
    expect(readFileSync(calls, 'utf8').trim().split('\n')).toHaveLength(made.length);
    const played = JSON.parse(
      await succeeds(
        'eval',
        '--env',
        requireRun(folder).env,
        '--policy',
        folder,
        '--episodes',
        '3',
        '--backend',
        'cpu',
        '--json',
      ),
    );
    expect(played).toMatchObject({ episodes: 3, policy: { params: readJson(folder).best?.params } });
  });
});
