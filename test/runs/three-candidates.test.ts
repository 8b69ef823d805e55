/** A method with three candidates under labels of its own: every command that reads or resumes runs takes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { tidyRows } from '../../src/interop/tidy/rows.ts';
import { centaur } from '../../src/methods/centaur.ts';
import { candidateLabelPattern, defineMethod } from '../../src/methods/method.ts';
import { r2po } from '../../src/methods/r2po.ts';
import { tuned } from '../../src/methods/tuned.ts';
import { ars } from '../../src/optimisers/ars.ts';
import { findAnalysis } from '../../src/report/analyses/index.ts';
import { findAnalysedRuns } from '../../src/report/analyses/runs.ts';
import { defaultReport, makeReport } from '../../src/report/report.ts';
import { findReportRuns } from '../../src/report/run-records.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { requireRun } from '../../src/runs/folder/folder.ts';
import { rowColumns } from '../../src/runs/journal/iteration-rows.ts';
import { readEvents } from '../../src/runs/journal/journal.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import {
  answerOf,
  execute,
  prepareRun,
  scriptedModel,
  searchEvents,
  smallRun,
  timeless,
} from '../support/experiment.ts';

vi.mock('../../src/methods/index.ts', async (original) => {
  const all = await original<typeof import('../../src/methods/index.ts')>();
  const { findLlmMethod, findMethod, methods } = all;
  return {
    ...all,
    methods: [...methods, { ...methods[0], id: 'three' }],
    findMethod: (id: string) => (id === 'three' ? three : findMethod(id)),
    findLlmMethod: (id: string) => (id === 'three' ? three : findLlmMethod(id)),
  };
});

const labels = ['first', 'second', 'reviewed'];
const three = defineMethod({
  ...r2po,
  id: 'three',
  title: 'Two proposals and a review',
  stages: ['search', 'search', 'evaluate', 'evaluate', 'critic', 'evaluate'],
  candidates: labels,
});

/** Answers as from call `first` on. */
const modelFrom = (first: number) =>
  scriptedModel((_request, call) => answerOf(Array.from({ length: 10 }, (_, i) => (i + first + call) % 5)));
const run = { overrides: ['method=three', 'iterations=2'] };

describe('a method with three candidates', () => {
  it('runs, keeps any of them, and names all in its files', async () => {
    const { folder, summary } = await smallRun({ ...run, model: modelFrom(0) });
    expect(summary).toMatchObject({ status: 'finished', method: 'three', iterations: 2 });
    const { events } = readEvents(folder);
    expect(events.flatMap((e) => (e.type === 'evaluated' ? [e.candidate] : []))).toEqual([...labels, ...labels]);
    const [header] = readFileSync(join(folder, 'metrics.csv'), 'utf8').split('\n');
    expect(header).toMatch(/,reasoning_tokens,first,second,reviewed$/);
  });

  it('ends the same when it is interrupted and resumed, and replays', async () => {
    const whole = await smallRun({ ...run, model: modelFrom(0) });
    const interrupted = new AbortController();
    const answers = modelFrom(0);
    const stopping = {
      ...answers,
      complete: async (...args: Parameters<typeof answers.complete>) => {
        if (answers.requests.length === 4) interrupted.abort();
        return answers.complete(...args);
      },
    };
    const prepared = await prepareRun({ ...run, model: stopping, options: { signal: interrupted.signal } });
    const { folder } = prepared;
    await expect(execute(prepared)).rejects.toThrow('interrupted');
    await prepared.backend.close();
    const done = readEvents(folder).events.filter(({ type }) => type === 'llm_call').length;
    const rest = modelFrom(done);
    const resumed = await smallRun({ ...run, model: rest, folder });
    expect(timeless(resumed.summary)).toEqual(timeless(whole.summary));
    expect(searchEvents(folder)).toEqual(searchEvents(whole.folder));

    const backend = openCpuBackend({ threads: 1 });
    const report = await replayRun(await openRecordedRun(folder), backend);
    await backend.close();
    expect(report).toMatchObject({ iterations: 2, evaluations: 6, complete: true, difference: null });
  });

  it('is reported and exported, and refused where a pair is compared', async () => {
    const { folder } = await smallRun({ ...run, model: modelFrom(0) });
    const { groups } = makeReport(findReportRuns([folder]), defaultReport);
    expect(groups).toMatchObject([{ values: ['CartPole-v1', 'three', 'openai/scripted'] }]);
    const rows = tidyRows('a', requireRun(folder), readEvents(folder).events);
    expect(rows.map(({ candidate }) => candidate)).toEqual([...labels, ...labels]);
    expect(rows.filter(({ kept }) => kept)).toHaveLength(2);
    await expect(findAnalysedRuns([folder], findAnalysis('edits'))).rejects.toThrow(
      'three makes 3 candidates, not a pair',
    );
  });

  it('cannot be kept by a test of two', async () => {
    await expect(resolveConfig('cartpole/r2po', ['method=three', 'selection=paired'])).rejects.toThrow(
      '(selection=paired): expected "selection" mean, as a paired test compares two candidates',
    );
  });
});

describe('defineMethod', () => {
  const { kind: _kind, ...valid } = r2po;
  it.each([
    [{ candidates: ['proposal'] }, 'a label under "candidates" for each of its 2 stages that play, got 1'],
    [{ candidates: ['a', 'b', 'c'] }, 'a label under "candidates" for each of its 2 stages that play, got 3'],
    [{ candidates: ['a', 'a'] }, 'different plain names'],
    [{ candidates: ['a', '../b'] }, 'different plain names'],
    ...[...rowColumns.first, ...rowColumns.last]
      .filter((name) => candidateLabelPattern.test(name))
      .map((name): [object, string] => [
        { candidates: ['a', name], keep: 'a' },
        `a name under "candidates" that no column of metrics.csv and no curve has, got "${name}"`,
      ]),
    [{ keep: 'other' }, '"best" or one of "proposal", "revision" under "keep", got "other"'],
    [{ prompts: { ...r2po.prompts, critic: null } }, 'a critic prompt for its critic stage, got none'],
    [{ stages: ['evaluate', 'search', 'evaluate'] }, 'a search, critic or refine stage for each evaluate stage'],
    [{ stages: ['search', 'evaluate', 'evaluate'] }, 'a search, critic or refine stage for each evaluate stage'],
    [
      { stages: ['critic', 'search', 'evaluate', 'evaluate'] },
      'a stage that plays a candidate before its critic stage',
    ],
    [
      { optimiser: { ...centaur.optimiser!, settings: {} }, stages: ['search', 'generation', 'critic', 'evaluate'] },
      '"share" under "optimiser.settings" for its stages search, generation, critic, evaluate, got none',
    ],
    [
      { optimiser: { ...tuned.optimiser!, settings: {} }, stages: tuned.stages },
      '"episodes" and "candidate_episodes" under "optimiser.settings"',
    ],
    [
      { optimiser: { ...centaur.optimiser!, unit: ars }, stages: ['generation', 'critic', 'evaluate'] },
      'an optimiser whose generations take candidates of others, got ars',
    ],
  ] as [Partial<typeof valid>, string][])('refuses %o', (change, message) => {
    expect(() => defineMethod({ ...valid, ...change })).toThrow(`[method r2po] expected ${message}`);
  });
});
