/** Searches that start from recorded trials, and prompts with the latest trials only. */
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { droppedTrials } from '../../src/methods/prompts/history.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { readRecordedTrial } from '../../src/runs/drivers/recorded-trials.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import {
  answerOf,
  eventsOf,
  readJson,
  scriptedModel,
  smallRun,
  smallSettings,
  temporaryFolder,
} from '../support/experiment.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

/** As the reference writes it. */
function logOf(params: readonly number[], returns: readonly number[]): string {
  const rollout = (total: number) =>
    `${params.join(', ')}\nparameter ends\n\nstate | action | reward\n0.02 | 1 | 1.0\n-0.01 | 0 | 1.0\nTotal reward: ${total}\n`;
  return returns.map(rollout).join('\n');
}

const params = [1.5, -2, 0, 3, 4, 5, -6, 6, 0.5, 0.25];

describe('a recorded trial', () => {
  const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((x) => Number(x.toPrecision(6)));

  it('is read as it was written: parameters, mean of the returns, steps', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 3, maxLength: 3 }),
        fc.array(value, { minLength: 1 }),
        (own, returns) => {
          const trial = readRecordedTrial('a.txt', logOf(own, returns), 3);
          expect(trial.params).toEqual(own.map((x) => x + 0));
          expect(trial).toMatchObject({ episodes: returns.length, length: 2 });
          expect(trial.mean).toBeCloseTo(returns.reduce((a, b) => a + b, 0) / returns.length, 3);
        },
      ),
    );
  });

  it.each([
    ['1, 2\nparameter ends\nTotal reward: 3\n', 'a.txt:2: expected 3 parameters, got 2'],
    ['state | action | reward\nTotal reward: 3\n', 'a.txt:1: expected a line "parameter ends"'],
    ['1, 2, 3\nparameter ends\n', 'expected a line "Total reward: <return>", got none'],
    ['1, 2, 1e999\nparameter ends\nTotal reward: 3\n', 'expected finite numbers'],
  ])('%j is refused with file and line', (text, message) => {
    expect(() => readRecordedTrial('a.txt', text, 3)).toThrow(message);
  });

  it('of any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          readRecordedTrial('a.txt', `1, 2\nparameter ends\n${text}`, 2);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});

/** Without warm-up policies, which recorded trials replace. */
const settings = smallSettings.filter((text) => !text.startsWith('warmup.'));
const answers = () => scriptedModel((_, call) => answerOf(params.map((x, i) => (i === call % 10 ? -x / 2 : x))));
const foldersIn = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name));
const promptsOf = (folder: string): string[] =>
  eventsOf(folder).flatMap((event) => (event.type === 'llm_call' ? [event.request.messages[0]!.content] : []));

/** Runs with a budget, then to the end. */
async function interrupted(overrides: string[], between: () => void = () => {}): Promise<string> {
  const run = { config: 'cartpole/props', settings, overrides, runsDir: join(root, 'interrupted') };
  const stopped = smallRun({ ...run, overrides: [...overrides, 'budget.max_calls=3'], model: answers() });
  const error = await stopped.then(
    () => null,
    (thrown: Error) => thrown,
  );
  expect(error?.message).toContain('budget');
  const [folder] = foldersIn(run.runsDir);
  between();
  // The scripted model counts its calls.
  const model = scriptedModel((_, call) => answerOf(params.map((x, i) => (i === (call + 3) % 10 ? -x / 2 : x))));
  await smallRun({ ...run, folder: folder!, model });
  return folder!;
}

describe('warmup.dir', () => {
  const dir = join(root, 'trials', 'warmup');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'warmup_rollout_10.txt'), logOf(params.toReversed(), [7]));
  writeFileSync(join(dir, 'warmup_rollout_2.txt'), logOf(params, [20, 31]));
  writeFileSync(join(dir, 'notes.txt'), 'none of it');
  const overrides = [`warmup.dir=${dir}`];

  it('starts a search from the trials of a folder in their order, none of them played again', async () => {
    const { folder, summary } = await smallRun({ config: 'cartpole/props', settings, overrides, model: answers() });
    const warmups = eventsOf(folder).filter((event) => event.type === 'warmup');
    expect(warmups.map((event) => [event.params, event.return, event.recorded])).toEqual([
      [params, 25.5, { file: 'warmup_rollout_2.txt', episodes: 2, of: 2 }],
      [params.toReversed(), 7, { file: 'warmup_rollout_10.txt', episodes: 1, of: 2 }],
    ]);
    expect(summary.episodes).toBe(6 * 5);
    const [first] = promptsOf(folder);
    expect(first).toContain(`trial 1: params = [${params.join(', ')}]; rollout_reward = 25.5`);
    expect(first).toContain('rollout_reward was measured in an earlier search');
    expect(first).not.toContain('trial 3');
  });

  it('is resumed from the journal, without the folder, as one that was never stopped', async () => {
    const whole = await smallRun({ config: 'cartpole/props', settings, overrides, model: answers() });
    const folder = await interrupted(overrides, () => renameSync(dir, `${dir}-away`));
    renameSync(`${dir}-away`, dir);
    expect(promptsOf(folder)).toEqual(promptsOf(whole.folder));
    expect(readJson(folder)).toMatchObject({ best: { params: whole.summary.best!.params } });
  });

  it('is replayed from the record, without the folder and beside other files in it', async () => {
    const gone = join(root, 'gone');
    cpSync(dir, gone, { recursive: true });
    const { folder } = await smallRun({ config: 'cartpole/props', settings, overrides: [`warmup.dir=${gone}`] });
    const replayed = async () => replayRun(await openRecordedRun(folder), openCpuBackend({ threads: 1 }));
    const equal = { difference: null, complete: true, warmups: 2, iterations: 6 };
    expect(await replayed()).toMatchObject(equal);
    writeFileSync(join(gone, 'warmup_rollout_1.txt'), logOf(params, [3]));
    expect(await replayed()).toMatchObject(equal);
    rmSync(gone, { recursive: true });
    expect(await replayed()).toMatchObject(equal);
  });

  it('refuses a folder without trials, and trials of another policy', async () => {
    const of = (path: string) => smallRun({ config: 'cartpole/props', settings, overrides: [`warmup.dir=${path}`] });
    await expect(of(root)).rejects.toThrow('[warmup.dir] expected files warmup_rollout_<i>.txt');
    await expect(of(join(root, 'nowhere'))).rejects.toThrow('[warmup.dir] expected a folder of recorded trials');
    const other = smallRun({ config: 'mountaincar/props', settings, overrides });
    await expect(other).rejects.toThrow(/warmup_rollout_2\.txt:2: expected 9 parameters, got 10/);
  });
});

describe('search.history', () => {
  it('drops half a window at a time, and never shows more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (window) => {
        let before = 0;
        let drops = 0;
        for (let count = 0; count < 400; count++) {
          const dropped = droppedTrials(count, window);
          const shown = count - dropped;
          expect(shown).toBeLessThanOrEqual(window);
          if (count >= window) expect(shown).toBeGreaterThan(window - Math.ceil(window / 2) - 1);
          expect(dropped).toBeGreaterThanOrEqual(before);
          if (dropped > before) drops++;
          before = dropped;
        }
        expect(drops).toBeLessThanOrEqual(Math.ceil(400 / Math.ceil(window / 2)));
        expect(droppedTrials(400, null)).toBe(0);
      }),
    );
  });

  it('keeps the names of trials and a common beginning, and changes no prompt before it drops one', async () => {
    const run = { config: 'cartpole/props', settings, overrides: ['iterations=9', 'warmup.policies=2'] };
    const all = promptsOf((await smallRun({ ...run, model: answers() })).folder);
    const window = await smallRun({ ...run, overrides: [...run.overrides, 'search.history=6'], model: answers() });
    const prompts = promptsOf(window.folder);
    const names = prompts.map((prompt) => [...prompt.matchAll(/^trial (\d+):/gm)].map(([, name]) => Number(name)));
    // 2 warm-ups, then a trial per iteration; 3 are dropped when a 7th comes.
    expect(names).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5, 6],
      [4, 5, 6, 7],
      [4, 5, 6, 7, 8],
      [4, 5, 6, 7, 8, 9],
      [7, 8, 9, 10],
    ]);
    expect(prompts.slice(0, 5)).toEqual(all.slice(0, 5));
    expect(prompts[5]).toContain('Those before trial 4 are left out.');
    const history = (prompt: string) => prompt.split('## Progress')[0]!.trimEnd();
    expect(history(prompts[7]!).startsWith(history(prompts[6]!))).toBe(true);
    // The lines of the trials are those of a whole history.
    const lines = (prompt: string) => prompt.match(/^trial \d+:.*$/gm)!;
    expect(lines(all[8]!).slice(-4)).toEqual(lines(prompts[8]!));
  });

  it('is resumed to the same prompts', async () => {
    rmSync(join(root, 'interrupted'), { recursive: true, force: true });
    const overrides = ['search.history=4', 'warmup.policies=3'];
    const whole = await smallRun({ config: 'cartpole/props', settings, overrides, model: answers() });
    expect(promptsOf(await interrupted(overrides))).toEqual(promptsOf(whole.folder));
  });
});
