/** docs/run-folders.md and docs/configuration.md: what they name is what the files have. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { assetPath } from '../../src/base/node/assets.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { smallRun, temporaryFolder } from '../support/experiment.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));
const { folder } = await smallRun({ runsDir: root, overrides: ['iterations=2'] });

const page = (name: string) => readFileSync(assetPath(`docs/${name}`), 'utf8');
/** Text of a section of a page. */
const section = (name: string, heading: string): string =>
  page(name)
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`))!;
/** Names in the first column of the tables of a text. */
const named = (text: string): string[] =>
  [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  );

function pathsOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  return Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, prefix === '' ? key : `${prefix}.${key}`));
}
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const last = (path: string) => path.split('.').at(-1)!;

describe('docs/run-folders.md', () => {
  it.each(['summary.json', 'run.json'])('names every field of %s', (name) => {
    const documented = named(section('run-folders.md', name));
    for (const path of pathsOf(json(name))) {
      if (path.startsWith('llm.by_model.')) continue;
      const found = documented.some(
        (one) => one === path || one === last(path) || path.startsWith(`${one}.`) || one.startsWith(`${path}.`),
      );
      expect(found, path).toBe(true);
    }
  });

  it('names the columns of metrics.csv in their order, and nothing else', () => {
    const [header] = readFileSync(join(folder, 'metrics.csv'), 'utf8').split('\n');
    expect([...named(section('run-folders.md', 'metrics.csv'))].sort()).toEqual(header!.split(',').sort());
  });

  it('names the tags of the TensorBoard file, and the fields of a trajectory and a policy', () => {
    const text = section('run-folders.md', 'best.json, trajectories/, tb/');
    const [file] = readdirSync(join(folder, 'tb'));
    const bytes = readFileSync(join(folder, 'tb', file!), 'latin1');
    for (const tag of ['reward/kept', 'reward/best', 'llm/tokens']) {
      expect(text).toContain(`\`${tag}\``);
      expect(bytes).toContain(tag);
    }
    const [trajectory] = readdirSync(join(folder, 'trajectories'));
    const { steps, ...facts } = json(join('trajectories', trajectory!)) as { steps: object[] };
    const keys = [...Object.keys(facts), ...Object.keys(steps[0]!), ...Object.keys(json('best.json') as object)];
    for (const key of keys) expect(text).toContain(`\`${key}\``);
  });

  it('reads columns and fields that exist, in its lines for pandas and DuckDB', () => {
    const text = section('run-folders.md', 'Reading them');
    const columns = readFileSync(join(folder, 'metrics.csv'), 'utf8').split('\n')[0]!.split(',');
    const [, read] = /metrics\[\[(.*?)\]\]/.exec(text)!;
    for (const [, column] of read!.matchAll(/'(\w+)'/g)) expect(columns).toContain(column);
    const events = readFileSync(join(folder, 'events.jsonl'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const iteration = events.find(({ type }) => type === 'iteration');
    const [, fields] = /'iteration'\]\[\[(.*?)\]\]/.exec(text)!;
    for (const [, name] of fields!.matchAll(/'(\w+)'/g)) expect(Object.keys(iteration)).toContain(name);
    const [, selected] = /SELECT (.*?) FROM read_json/.exec(text)!;
    for (const path of selected!.split(', ')) expect(pathsOf(json('summary.json'))).toContain(path);
    expect(columns).toContain(/max\((\w+)\)/.exec(text)![1]);
  });
});

describe('docs/configuration.md', () => {
  it('names every section of a configuration, and a configuration that resolves', async () => {
    const { config } = await resolveConfig('cartpole/r2po');
    const documented = named(section('configuration.md', 'Sections'));
    for (const key of Object.keys(config)) expect(documented).toContain(key);
    const [, example] = /```yaml\n([\s\S]*?)```/.exec(page('configuration.md'))!;
    const { extends: base, ...own } = parse(example!) as Record<string, unknown>;
    expect(base).toBe('../configs/cartpole/defaults.yaml');
    const file = join(root, 'own.yaml');
    writeFileSync(file, stringify({ extends: assetPath('configs/cartpole/defaults.yaml'), ...own }));
    const resolved = await resolveConfig(file);
    expect(resolved.config).toMatchObject({ ...own, env: 'CartPole-v1' });
  });
});
