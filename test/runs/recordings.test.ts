/**
 * Runs recorded against the scripted server, replayed without a model by every version of the program: a changed prompt,
 * parser or dynamics shows as a difference. `R2PO_RECORD=1 npx vitest run test/runs/recordings.test.ts` records them again.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openModel } from '../../src/runs/models/open-model.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { eventsOf, smallRun } from '../support/experiment.ts';
import { llmConfig } from '../support/llm-config.ts';
import { type ScriptedStep, startScriptedServer } from '../support/scripted-model.ts';

const root = assetPath('test/replay');
const backend = openCpuBackend({ threads: 1 });
afterAll(() => backend.close());

/** Replies as models write them: prose, faults, and text that is meant to be obeyed. */
const steps: ScriptedStep[] = [
  {},
  { fault: 'prose' },
  { fault: 'too-few' },
  {},
  { fault: 'injection' },
  { fault: 'empty' },
  {},
  { fault: 'ansi' },
];

const recordings = [
  { name: 'cartpole-r2po', config: 'cartpole/r2po', protocol: 'openai', extra: [] },
  { name: 'frozenlake-props-plus', config: 'frozenlake/props-plus', protocol: 'ollama', extra: [] },
  {
    name: 'mountaincar-continuous-three-traj',
    config: 'mountaincar-continuous/three-traj',
    protocol: 'openai',
    extra: ['selection=paired', 'critic.sensitivity_episodes=4', 'search.duplicates=repair'],
  },
] as const;

const short = [
  'iterations=3',
  'warmup.policies=2',
  'evaluation.episodes=4',
  'recheck.episodes=6',
  'evaluation.max_steps=60',
];

async function record({ name, config, protocol, extra }: (typeof recordings)[number]): Promise<void> {
  const server = await startScriptedServer({ models: { m: steps }, loop: true });
  const runsDir = mkdtempSync(join(tmpdir(), 'r2po-recording-'));
  try {
    const overrides = [...short, ...extra];
    const { config: resolved } = await resolveConfig(config, overrides);
    const id = protocol === 'openai' ? `${server.openai}#m` : 'ollama/m';
    const model = await openModel(id, llmConfig(resolved), () => {}, { env: { OLLAMA_BASE_URL: server.ollama } });
    // The port of the server is no fact of the run.
    const { folder } = await smallRun({ config, overrides, runsDir, model: { ...model, id: `scripted/${protocol}` } });
    const target = join(root, name);
    rmSync(target, { recursive: true, force: true });
    for (const file of ['config.yaml', 'run.json', 'events.jsonl']) cpSync(join(folder, file), join(target, file));
  } finally {
    await server.stop();
    rmSync(runsDir, { recursive: true });
  }
}

describe.each(recordings)('$name', (recording) => {
  it.runIf(process.env.R2PO_RECORD === '1')('is recorded again', () => record(recording));

  it('replays to the last bit, its prompts word for word', async () => {
    const folder = join(root, recording.name);
    const report = await replayRun(await openRecordedRun(folder), backend);
    expect(report).toMatchObject({
      iterations: 3,
      complete: true,
      rechecked: true,
      rewordedPrompts: 0,
      difference: null,
    });
    const events = eventsOf(folder);
    expect(events.filter(({ type }) => type === 'parse_failed').length).toBeGreaterThan(0);
    expect(report.calls).toBe(events.filter(({ type }) => type === 'llm_call').length);
  });
});

it('has no recording that nobody replays', () => {
  const names = existsSync(root) ? readdirSync(root) : [];
  expect(names.sort()).toEqual(recordings.map(({ name }) => name).sort());
});
