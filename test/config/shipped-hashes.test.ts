/**
 * Names, hashes and texts of the shipped configurations: folders of runs are found by them, so that they may change only
 * on purpose. `hash`: of the configuration; `run`: of what decides the result; `yaml`: of the file in the run folder.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { configHash } from '../../src/config/hash.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { shippedConfigs } from '../../src/config/shipped.ts';
import { runHash } from '../../src/runs/folder/identity.ts';

const path = assetPath('test/config/shipped-hashes.json');
const recorded = JSON.parse(readFileSync(path, 'utf8')) as Record<string, { hash: string; run: string; yaml: string }>;

async function hashesOf(name: string) {
  const { config, yaml } = await resolveConfig(name);
  const text = createHash('sha256').update(yaml).digest('hex').slice(0, 12);
  return { hash: configHash(config), run: runHash(config), yaml: text };
}

// Adds new configurations and keeps every recorded hash.
if (process.env.R2PO_RECORD === '1') {
  for (const name of shippedConfigs()) recorded[name] ??= await hashesOf(name);
  const names = Object.keys(recorded).sort();
  const lines = names.map((name) => {
    const { hash, run, yaml } = recorded[name]!;
    return `  "${name}": { "hash": "${hash}", "run": "${run}", "yaml": "${yaml}" }`;
  });
  writeFileSync(path, `{\n${lines.join(',\n')}\n}\n`);
}

describe('the shipped configurations', () => {
  it('have a recorded hash each', () => {
    expect(shippedConfigs()).toEqual(Object.keys(recorded).sort());
  });

  it.each(Object.entries(recorded))('%s has not changed', async (name, expected) => {
    expect(await hashesOf(name)).toEqual(expected);
  });
});
