/** A policy whose episodes reach an infinite state is refused like an unusable reply; the search goes on without it. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { eventsOf, type SmallRun, scriptedModel, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

// The example with a heater that multiplies the temperature.
const module = join(root, 'runaway', 'index.js');
cpSync(assetPath('examples/thermostat'), join(root, 'runaway'), { recursive: true });
const example = readFileSync(assetPath('examples/thermostat/index.js'), 'utf8');
const step = /state\[0\] \+= .*;/;
expect(example).toMatch(step);
writeFileSync(
  module,
  example.replace(step, 'state[0] *= 1 + 1e10 * Math.max(action[0], 0);').replaceAll('-2000', '-1e300'),
);
const config = join(root, 'runaway', 'runaway.yaml');
writeFileSync(config, 'env: ./index.js\nmethod: r2po\npolicy: {kind: linear}\n');

const broken = 'params[0]: 9, params[1]: 0, params[2]: 0';
const sound = (call: number) => `params[0]: 0, params[1]: 0, params[2]: ${-1 - call / 10}`;
const small = ['evaluation.episodes=3', 'evaluation.backend=cpu', 'recheck.episodes=5', 'warmup.policies=1'];
const commands = async (folder: string) => {
  const codes = [];
  for (const command of ['replay', 'verify']) {
    const { code, stderr } = await runHere([command, folder, '--trust-env', module], { cwd: root });
    codes.push([command, code, code === 0 ? '' : stderr]);
  }
  return codes;
};
/** A model whose call `at` gives what breaks; `made`: calls of the sessions before. */
const sayOf = (breaks: (call: number) => boolean, made = 0) =>
  scriptedModel((_request, call) => (breaks(made + call) ? broken : sound(made + call)));
const run = (method: string, model: SmallRun['model'], settings: string[] = [], more: Partial<SmallRun> = {}) => {
  const own = [`method=${method}`, 'iterations=3', 'parameters.low=-2', 'parameters.high=10'];
  return smallRun({ config, settings: [...small, ...own, ...settings], model: model!, ...more });
};

it.each([
  // The second proposal: nothing for the critic to review. Else the first revision.
  ['r2po', 'proposal', 2],
  ['r2po', 'revision', 1],
  ['props', 'proposal', 1],
])('of %s, the %s: the record, its resumption, its replay and its check', async (method, label, at) => {
  const { folder, summary } = await run(
    method,
    sayOf((call) => call === at),
  );
  expect(summary).toMatchObject({ status: 'finished', iterations: 3, llm: { unusable_replies: 1 } });
  const events = eventsOf(folder);
  const refused = events.findIndex(({ type }) => type === 'parse_failed');
  expect(events[refused]).toMatchObject({ problem: expect.stringContaining('infinite or NaN state') });
  const ended = events.slice(refused).find(({ type }) => type === 'iteration');
  expect(ended).toMatchObject({ why: expect.stringContaining(`the ${label} could not be played`) });
  expect(await commands(folder)).toEqual([
    ['replay', 0, ''],
    ['verify', 0, ''],
  ]);
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
  for (const kept of [refused, refused + 1]) {
    writeFileSync(join(folder, 'events.jsonl'), `${lines.slice(0, kept).join('\n')}\n`);
    const calls = events.slice(0, kept).filter(({ type }) => type === 'llm_call').length;
    const again = await run(
      method,
      sayOf((call) => call === at, calls),
      [],
      { folder, options: { repair: true } },
    );
    expect(again.summary).toMatchObject({ status: 'finished', llm: { unusable_replies: 1 } });
  }
});

it('several proposals: those that can be played count, and none is refused as one', async () => {
  const sets = (breaks: boolean) =>
    [1, 2].map((set) => `Set ${set}:\n${breaks ? broken.replace('9', `${6 + set}`) : sound(set)}`).join('\n');
  const model = scriptedModel((_request, call) => sets(call === 0));
  const { summary, folder } = await run('props', model, ['search.proposals=2']);
  expect(summary).toMatchObject({ status: 'finished', iterations: 3, llm: { unusable_replies: 1 } });
  expect(await commands(folder)).toEqual([
    ['replay', 0, ''],
    ['verify', 0, ''],
  ]);
});

it.each([
  ['random-search', ['optimiser.population=2', 'optimiser.episodes=60']],
  ['centaur', ['optimiser.population=4', 'iterations=4']],
  ['es-critic', ['optimiser.population=4', 'iterations=4']],
])('of %s, a whole population: the record, its resumption and what reads it', async (id, settings) => {
  const { folder, summary } = await run(
    id,
    sayOf(() => true),
    settings,
  );
  expect(summary).toMatchObject({ status: 'finished', best: { rechecked: expect.anything() } });
  const events = eventsOf(folder);
  const broke = events.findIndex((event) => event.type === 'generation' && event.means.every(Number.isNaN));
  const ended = events.findIndex(({ type }, i) => i > broke && type === 'iteration');
  expect(events[ended]).toMatchObject({ kept: null, candidates: [], why: expect.stringContaining('could') });
  expect(events.slice(broke, ended).map(({ type }) => type)).toEqual([
    'generation',
    ...(id === 'centaur' ? ['parse_failed'] : []),
  ]);
  expect(await commands(folder)).toEqual([
    ['replay', 0, ''],
    ['verify', 0, ''],
  ]);
  const readers = [
    ['report', folder],
    ['analyze', 'search', folder, '--trust-env', module],
    ['export', folder, '--format', 'csv', '--out', join(root, id)],
  ];
  for (const command of readers) {
    const read = await runHere(command, { cwd: root });
    expect(read.code, read.stderr).toBe(0);
  }
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
  for (let kept = broke; kept <= ended + 1; kept++) {
    writeFileSync(join(folder, 'events.jsonl'), `${lines.slice(0, kept).join('\n')}\n`);
    const model = sayOf(() => true);
    const again = await run(id, model, settings, { folder, options: { repair: true } });
    expect(again.summary.best).toEqual(summary.best);
    expect(again.summary.episodes).toBe(summary.episodes);
  }
});

it('ends a run of nothing else by the limit of unusable replies', async () => {
  await expect(
    run(
      'props',
      sayOf(() => true),
      ['llm.max_unusable_in_a_row=2'],
    ),
  ).rejects.toThrow(/got 2 unusable ones in a row; the first one: .*infinite or NaN state/);
});

it('warm-up policies are recorded without a return, and not shown', async () => {
  const { summary, folder } = await run(
    'props',
    sayOf(() => false),
    ['warmup.policies=12'],
  );
  expect(summary.status).toBe('finished');
  const returns = eventsOf(folder).flatMap((event) => (event.type === 'warmup' ? [event.return] : []));
  expect(returns).toHaveLength(12);
  expect(returns.some(Number.isNaN)).toBe(true);
  expect(await commands(folder)).toEqual([
    ['replay', 0, ''],
    ['verify', 0, ''],
  ]);
});

it('the best policy breaks in the re-check: the run is finished, says so, and has none', async () => {
  const notices: string[] = [];
  // It heats where it is at least 9 degrees outside, in a twentieth of the episodes.
  const model = scriptedModel((_request, call) => `params[0]: 0, params[1]: 1, params[2]: ${-8.5 - call / 100}`);
  const { summary, folder } = await run('props', model, ['recheck.episodes=200', 'parameters.low=-10'], {
    options: { onNotice: (text) => notices.push(text) },
  });
  expect(summary).toMatchObject({ status: 'finished', best: { rechecked: null } });
  expect(notices.join()).toMatch(/the best policy, of iteration \d, has no re-check: expected finite returns, got NaN/);
  expect(await commands(folder)).toEqual([
    ['replay', 0, ''],
    ['verify', 0, ''],
  ]);
  for (const command of ['report', 'export']) {
    const into = command === 'export' ? ['--format', 'csv', '--out', join(root, 'out')] : [];
    const read = await runHere([command, folder, ...into], { cwd: root });
    expect(read.code, read.stderr).toBe(0);
  }
});

it('changes of one parameter that break are no effects', async () => {
  const { summary, folder } = await run(
    'r2po',
    scriptedModel((_request, call) => `params[0]: 0, params[1]: 0, params[2]: ${-0.5 - call / 10}`),
    ['critic.sensitivity_episodes=3'],
  );
  expect(summary.status).toBe('finished');
  const effects = eventsOf(folder).flatMap((event) => (event.type === 'sensitivity' ? [event.effects.length] : []));
  expect(effects.length).toBe(3);
  // Of six changes, at least two heat the room.
  expect(Math.max(...effects)).toBeLessThan(5);
  expect(Math.min(...effects)).toBeGreaterThan(0);
});
