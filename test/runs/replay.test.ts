/** A recorded run, played again from its replies: equal to the bit, or the first difference is named. */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { textDigest } from '../../src/llm/text-digest.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openRecordedRun, recordedModel, replayRun, toleratesBounds } from '../../src/runs/replay.ts';
import { runCli } from '../support/cli.ts';
import {
  answerOf,
  eventsOf,
  rewriteRecord,
  scriptedModel,
  searchEvents,
  smallRun,
  temporaryFolder,
} from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';

/** Every file of a folder with its content and time. */
function snapshot(folder: string): unknown {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mtimeMs } = statSync(path);
      return statSync(path).isDirectory() ? [name] : [name, mtimeMs, readFileSync(path, 'latin1')];
    });
}

async function replay(folder: string, prompts?: 'may-differ') {
  const backend = openCpuBackend({ threads: 1 });
  try {
    return await replayRun(await openRecordedRun(folder), backend, prompts && { prompts });
  } finally {
    await backend.close();
  }
}

/** A copy whose messages have the digests of these texts. */
function reworded(folder: string, change: (text: string) => string): string {
  const calls = eventsOf(folder).flatMap((event) => (event.type === 'llm_call' ? [event] : []));
  return edited(folder, (record) =>
    record
      .split('\n')
      .map((line) => {
        const call = calls.find(({ seq }) => line.includes(`"llm_call"`) && line.includes(`"seq":${seq},`));
        const [message] = call?.request.messages ?? [];
        if (!message) return line;
        const value = JSON.parse(line) as { request: object };
        const content = change(message.content);
        const messages = [{ role: message.role, digest: textDigest(content), content }];
        return JSON.stringify({ ...value, request: { ...value.request, messages } });
      })
      .join('\n'),
  );
}

/** A copy with another text in its record. */
function edited(folder: string, change: (record: string) => string): string {
  const copy = join(temporaryFolder(), 'run');
  cpSync(folder, copy, { recursive: true });
  rewriteRecord(copy, change);
  return copy;
}

const firstLines = (count: number) => (text: string) => `${text.split('\n').slice(0, count).join('\n')}\n`;

describe('replay', () => {
  it('equals the record to the bit, and writes nothing', async () => {
    const params = [0.1, -2, 3, 0, 0.5, 6, 0, 6, -1, 1];
    const model = scriptedModel((_, call) => (call === 4 ? 'no parameters' : answerOf([call, ...params.slice(1)])));
    const { folder } = await smallRun({ model, overrides: ['parameters.high=20', 'iterations=4'] });
    const before = snapshot(folder);
    expect(await replay(folder)).toEqual({
      warmups: 4,
      calls: 9,
      evaluations: 8,
      iterations: 4,
      rechecked: true,
      rewordedPrompts: 0,
      complete: true,
      difference: null,
    });
    expect(snapshot(folder)).toEqual(before);
  });

  it('names the first difference', async () => {
    const { folder } = await smallRun();
    const cases: [RegExp, string, RegExp][] = [
      [/("type":"warmup","index":2.*?"return":)\d+/, '$17777', /at seq 3 \(warmup 2\): expected return 7777, got \d+/],
      [/("type":"warmup","index":1,"params":\[)[-\d.]+/, '$10.5', /\(warmup 1\): expected params\[0\] 0.5, got/],
      [
        /("type":"evaluated".*?"mean":)([\d.]+)/,
        '$1$2000000001',
        /evaluated of iteration 1 \(proposal\)\): expected summary.mean/,
      ],
      [/("type":"rechecked".*?"max":)[\d.]+/, '$1499', /rechecked of iteration \d\): expected summary.max 499/],
      [/("kept":")(proposal|revision)"/, '$1revision","was":"', /events.jsonl:10/],
    ];
    for (const [pattern, replacement, message] of cases.slice(0, 4)) {
      const { difference } = await replay(edited(folder, (text) => text.replace(pattern, replacement)));
      expect(difference).toMatch(message);
    }
    const [pattern, replacement, message] = cases[4]!;
    await expect(replay(edited(folder, (text) => text.replace(pattern, replacement)))).rejects.toThrow(message);
  });

  it('names what the record holds beyond the end of the run', async () => {
    const { folder } = await smallRun();
    const copy = edited(folder, (text) => {
      const lines = text.trimEnd().split('\n');
      const again = lines[35]!.replace('"seq":35', '"seq":36');
      return [...lines.slice(0, 36), again, lines[36]!.replace('"seq":36', '"seq":37'), ''].join('\n');
    });
    expect((await replay(copy)).difference).toMatch(/^at seq 36: expected rechecked of .*, got the end of the run$/);
  });

  it('compares counts of tokens, temperature and seed of a call', async () => {
    const { folder } = await smallRun({ overrides: ['llm.seed=9'] });
    const cases: [RegExp, string, RegExp][] = [
      [/("promptTokens":)\d+/, '$17', /at seq 5 \(llm_call .*\): expected reply.usage.promptTokens 7, got \d+/],
      [/("completionTokens":)\d+/, '$17', /at seq 5 .*: expected reply.usage.completionTokens 7, got \d+/],
      [/("temperature":)[\d.]+/, '$10.7', /at seq 5 .*: expected request.temperature 0.7, got /],
      [/("temperature":[\d.]+,"seed":)\d+/, '$15', /at seq 5 .*: expected request.seed 5, got \d+/],
    ];
    for (const [pattern, replacement, message] of cases) {
      const { difference } = await replay(edited(folder, (text) => text.replace(pattern, replacement)));
      expect(difference).toMatch(message);
    }
  });

  it('refuses a record that was changed without its digests, and names the first event that differs', async () => {
    const { folder } = await smallRun();
    const path = join(folder, 'events.jsonl');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/("promptTokens":)\d+/, '$17'));
    await expect(openRecordedRun(folder)).rejects.toThrow(/events\.jsonl:6: .*was changed \(seq 5, llm_call\)/);
  });

  it('follows an edited reply to what it changes', async () => {
    const { folder } = await smallRun();
    const copy = edited(folder, (text) => text.replace(/("text":"params\[0\]: )-?[\d.]+/, '$14.7'));
    expect((await replay(copy)).difference).toMatch(/evaluated of iteration 1 \(proposal\)\): expected params\[0\]/);
  });

  it('stops at a prompt that is worded differently, with the lines, unless that is allowed', async () => {
    const { folder } = await smallRun();
    const copy = reworded(folder, (text) => text.replaceAll('- Do not settle on the sign', '- Settle on the sign'));
    const { difference, calls } = await replay(copy);
    expect(calls).toBe(0);
    expect(difference).toMatch(/^expected the recorded prompt of call 1 \(search of iteration 1\), got another one/);
    expect(difference).toMatch(/\n- - Settle on the sign .*\n\+ - Do not settle on the sign /);
    expect(await replay(copy, 'may-differ')).toMatchObject({ difference: null, rewordedPrompts: 6, calls: 12 });
  });

  it('of an unfinished run ends where the record ends', async () => {
    const { folder } = await smallRun();
    for (const count of [1, 4, 6, 8, 25]) {
      const report = await replay(edited(folder, firstLines(count)));
      expect(report).toMatchObject({ complete: false, difference: null, rechecked: false });
      expect(report.warmups + report.calls + report.evaluations + report.iterations).toBe(count - 1);
    }
  });

  it('refuses folders that are not runs or have no events', async () => {
    const empty = temporaryFolder();
    await expect(openRecordedRun(empty)).rejects.toThrow('no run.json in it');
    await expect(openRecordedRun(join(empty, 'x'))).rejects.toThrow('no such folder');
    const { folder } = await smallRun();
    await expect(openRecordedRun(edited(folder, () => ''))).rejects.toThrow('got an empty record');
  });
});

describe('the model replay:<run>', () => {
  it('makes the same run again, and labels it as a replay', async () => {
    const { folder } = await smallRun();
    const again = await smallRun({ model: recordedModel(folder) });
    expect(again.folder).not.toBe(folder);
    expect(searchEvents(again.folder)).toEqual(searchEvents(folder));
    expect(again.summary).toMatchObject({ model: `replay:${folder}`, model_kind: 'replay' });
  });

  it('refuses a run that asks something else', async () => {
    const { folder } = await smallRun();
    await expect(smallRun({ model: recordedModel(folder), seed: 4 })).rejects.toMatchObject({ exitCode: 6 });
    expect(() => recordedModel(temporaryFolder())).toThrow(UsageError);
  });
});

describe('r2po replay', () => {
  it('exits 0 when equal and 6 when not, in words and as JSON', async () => {
    const { folder } = await smallRun();
    const equal = await runCli(['replay', folder]);
    expect(equal).toMatchObject({ code: 0 });
    expect(equal.stdout).toMatch(/equal to the record, on cpu[\s\S]*evaluations\s+12/);

    const copy = edited(folder, (text) => text.replace(/("type":"rechecked".*?"min":)\d+/, '$17'));
    const differs = await runHere(['replay', copy, '--json']);
    expect(differs.code).toBe(6);
    const document = JSON.parse(differs.stdout);
    expect(document).toMatchObject({ equal: false, backend: 'cpu', recorded_backend: 'cpu', iterations: 6 });
    expect(document.difference).toContain('expected summary.min 7');
    expect(differs.stderr).toContain(`error: [replay] ${copy} ${document.difference}`);
  });

  it('exits 2 for a folder that is not a run', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'empty'));
    const { code, stderr } = await runHere(['replay', join(folder, 'empty')]);
    expect(code).toBe(2);
    expect(stderr).toContain('[run folder] expected a run folder');
  });
});

it('takes bounds of an interval as equal where versions compute its quantile differently, and nothing else', () => {
  // Mean 100, standard error 13.4, 20 episodes: the t quantile of version 0.1.0 erred by 1.6e-8.
  const bound = 100 - 13.4 * 2.093024;
  const earlier = bound + 13.4 * 2.093024 * 1.6e-8;
  expect(toleratesBounds('summary.ci95[0]', earlier, bound)).toBe(true);
  expect(toleratesBounds('summary.ci95[0]', bound + 0.001, bound)).toBe(false);
  expect(toleratesBounds('paired.p', 0.04 + 1e-8, 0.04)).toBe(true);
  expect(toleratesBounds('summary.mean', earlier, bound)).toBe(false);
});
