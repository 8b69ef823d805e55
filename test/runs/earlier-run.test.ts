/** A run that an earlier version began, before models could be held, limited and replaced: it goes on as it began. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { earlierDefaults, laterKeys } from '../../src/config/earlier.ts';
import { openConfig } from '../../src/config/resolve.ts';
import { keysOf as keysOfSchema, knownKeys } from '../../src/config/schema.ts';
import { llmSearchSchema } from '../../src/config/sections/llm-search.ts';
import { findRunToResume, readRunConfig, requireRun } from '../../src/runs/folder/folder.ts';
import { runHash } from '../../src/runs/folder/identity.ts';
import { runCli } from '../support/cli.ts';
import { eventsOf, readJson, temporaryFolder } from '../support/experiment.ts';
import { llmConfig } from '../support/llm-config.ts';

const recorded = 'test/cases/earlier-run';

function copyOfIt() {
  const runsDir = temporaryFolder();
  const folder = join(runsDir, 'old');
  cpSync(recorded, folder, { recursive: true });
  return { runsDir, folder };
}

/** Dotted names of what a section holds, without what is inside of empty and open ones. */
function keysOf(section: object, prefix = ''): string[] {
  return Object.entries(section).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const inner = value !== null && typeof value === 'object' && !Array.isArray(value) && knownKeys.get(path)?.keys;
    return inner ? [path, ...keysOf(value, `${path}.`)] : [path];
  });
}

describe('a run of an earlier version', () => {
  it('means by its configuration what it meant, and has the hash that it had', async () => {
    const config = await readRunConfig(recorded);
    expect(runHash(config)).toBe(requireRun(recorded).config_hash);
    expect(llmConfig(config).llm).toMatchObject({ reply_form: 'lines', max_unusable_in_a_row: null, fallback: [] });
  });

  it('has a meaning for every key that came later', () => {
    const there = keysOf(parse(readFileSync(join(recorded, 'config.yaml'), 'utf8')));
    // Without a default: where such a key is missing, a run is as it was before the key.
    const optional = /^llm\.(search|critic)\.|^prices|^policy\.options|^env_options|^search\.proposals(_by)?$/;
    const later = [...keysOfSchema(llmSearchSchema)].filter(
      (key) => key !== '' && !there.includes(key) && !optional.test(key),
    );
    // A new key needs an entry in src/config/earlier.ts: what did runs do before it was there?
    expect(later.filter((key) => !keysOf(laterKeys).includes(key))).toEqual([]);
  });

  it('continues with its own defaults to its end', async () => {
    const { runsDir, folder } = copyOfIt();
    const before = readFileSync(join(folder, 'events.jsonl'), 'utf8');
    const command = ['run', join(folder, 'config.yaml'), '--runs-dir', runsDir, '--name', 'old', '--resume', '--json'];
    const { code, stderr } = await runCli(command);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8').startsWith(before)).toBe(true);
    const calls = eventsOf(folder).filter(({ type }) => type === 'llm_call');
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.slice(3)).toEqual(
      calls.slice(3).map(() => expect.objectContaining({ request: expect.objectContaining({ form: 'lines' }) })),
    );
    expect(readJson(folder)).toMatchObject({
      status: 'finished',
      iterations: 3,
      models: { search: 'offline', critic: 'offline' },
    });
  });

  it('is found by the defaults at its start, even if they have changed', async () => {
    const { runsDir, folder } = copyOfIt();
    // Somebody's own file, which leaves the form of the replies to the default.
    const text = readFileSync(join(folder, 'config.yaml'), 'utf8').replace(/^ {2}reply_form: lines\n/m, '');
    const file = join(runsDir, 'mine.yaml');
    writeFileSync(file, text);
    const now = (await (await openConfig(file)).resolve()).config;
    const then = (await (await openConfig(file, earlierDefaults)).resolve()).config;
    expect([now, then].map((config) => llmConfig(config).llm.reply_form)).toEqual(['auto', 'lines']);
    const place = { runsDir, name: 'old' };
    await expect(findRunToResume(place, now)).rejects.toThrow('llm.reply_form ("lines" there, "auto" here)');
    expect(await findRunToResume(place, now, then)).toEqual({ folder, config: then });
  });
});
