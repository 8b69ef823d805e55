/** Tables and charts of a bench, from numbers that nothing measured. */
import { describe, expect, it } from 'vitest';
import type { EnvBench } from '../../src/bench/benchmark.ts';
import type { Machine } from '../../src/bench/machine.ts';
import { scalingChart, speedChart } from '../../src/report/bench/charts.ts';
import { benchTables, machineLines, millionText } from '../../src/report/bench/tables.ts';
import { markdownTable } from '../../src/report/tables/table.ts';

const machine: Machine = {
  cpu: 'A processor',
  threads: 12,
  memoryBytes: 3 * 2 ** 30,
  system: 'linux 1.2 x64',
  node: 'v20.20.2',
  adapter: 'An adapter',
  dawn: '0.6.2',
  software: false,
  timestamps: true,
  nvidia: [{ name: 'A card', driver: '550.1', clock: 1700, highestClock: 1980 }],
  loadBefore: 0.1,
};

const speed = { episodes: 64, steps: 6400, meanReturn: 7.5, ratio: 1, gpuSeconds: null, gpuStepsPerSecond: null };
const environment: EnvBench = {
  env: 'First <env>',
  policy: 'linear',
  rows: [
    { ...speed, backend: 'cpu', wallSeconds: 0.01, stepsPerSecond: 640_000 },
    {
      ...speed,
      backend: 'webgpu',
      wallSeconds: 0.002,
      stepsPerSecond: 3.2e6,
      gpuSeconds: 0.001,
      gpuStepsPerSecond: 6.4e6,
    },
  ],
  latencies: [
    { backend: 'cpu', candidates: 2, episodes: 20, calls: 200, medianSeconds: 0.0012, p95Seconds: 0.0034 },
    { backend: 'webgpu', candidates: 2, episodes: 20, calls: 150, medianSeconds: 0.0021, p95Seconds: 0.0043 },
  ],
  millions: [
    { backend: 'cpu', kind: 'estimated', episodes: 1_000_000, seconds: 156.25, fromEpisodes: 64 },
    { backend: 'webgpu', kind: 'measured', episodes: 1_000_000, seconds: 0.789, calls: 3 },
  ],
  scalings: [
    {
      backend: 'webgpu',
      axis: 'episodes',
      flatUntil: 10,
      rows: [
        { candidates: 1, episodes: 1, steps: 100, seconds: 0.0021, calls: 5 },
        { candidates: 1, episodes: 10, steps: 1000, seconds: 0.0022, calls: 5 },
        { candidates: 1, episodes: 100, steps: 10_000, seconds: 0.02, calls: 5 },
      ],
    },
  ],
  issue: {
    operations: 89,
    fused: 64,
    unbounded: [],
    issueRate: { operationsPerSecond: 6.4e12, clock: 'gpu' },
    bound: 1e11,
    stepsPerSecond: 2.5e10,
    clock: 'gpu',
    share: 0.25,
  },
  heap: { steps: 1000, bytes: 10, collections: 0 },
  compile: [{ policyKind: 'mlp', seconds: 0.12 }],
  bare: null,
};
const document = {
  date: '2030-02-03T04:05:06.000Z',
  machine,
  environments: [environment, { ...environment, env: 'Second' }],
};

/** Every element is closed in the order in which they were opened, and text holds no bare sign of markup. */
function expectSvg(text: string): void {
  expect(text).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  const open: string[] = [];
  for (const [tag, close, name, empty] of text.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (close) expect(open.pop(), tag).toBe(name);
    else if (!empty) open.push(name!);
  }
  expect(open).toEqual([]);
  expect(text.replace(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
}

describe('benchTables', () => {
  it('omits tables without measurements', () => {
    const titles = benchTables(document).map(({ title }) => title);
    expect(titles).toEqual([
      'Speed',
      'One call',
      'Share of the issue rate',
      'Cost against episodes',
      'Heap and compiler',
    ]);
    const bare = { ...environment, scalings: [], issue: null };
    expect(benchTables({ ...document, environments: [bare] })).toHaveLength(3);
  });

  it('marks estimates as such', () => {
    const [estimated, measured] = environment.millions.map(millionText);
    expect(estimated).toBe('about 156 s, estimated from 64 episodes');
    expect(measured).toBe('0.789 s');
  });

  it('states up to which count a cost is constant, and shows the omitted counts', () => {
    const longer = {
      ...environment.scalings[0]!,
      backend: 'cpu',
      flatUntil: null,
      rows: environment.scalings[0]!.rows.slice(1),
    };
    const single = { ...longer, backend: 'single', rows: environment.scalings[0]!.rows.slice(0, 1) };
    const changed = { ...environment, scalings: [environment.scalings[0]!, longer, single] };
    const table = benchTables({ ...document, environments: [changed] }).find(
      ({ title }) => title === 'Cost against episodes',
    )!;
    expect(table.columns.map(({ title }) => title)).toEqual(['environment', 'backend', '1', '10', '100', 'flat up to']);
    expect(table.rows).toEqual([
      ['First <env>', 'webgpu', '2.1', '2.2', '20', 10],
      ['First <env>', 'cpu', null, '2.2', '20', 'all'],
      ['First <env>', 'single', '2.1', null, null, null],
    ]);
  });

  it('draws a table in Markdown', () => {
    const columns = [{ title: 'a' }, { title: 'b', align: 'right' as const }];
    expect(markdownTable({ columns, rows: [['x|y', null]] })).toBe('| a | b |\n| --- | ---: |\n| x\\|y | - |');
  });

  it('names the machine as far as it is known', () => {
    const text = machineLines(machine).join('\n');
    for (const part of [
      'A processor, 12 threads, 3 GiB',
      'Node v20.20.2',
      'An adapter; GPU time',
      'Dawn 0.6.2',
      'driver 550.1',
      '1700 of 1980 MHz',
    ]) {
      expect(text).toContain(part);
    }
    const without = machineLines({ ...machine, adapter: null, dawn: null, nvidia: [], loadBefore: null });
    expect(without[without.length - 1]).toBe('adapter: none');
    expect(machineLines({ ...machine, software: true }).join('\n')).toContain('An adapter (software)');
    expect(text).toContain('0.1 (quiet)');
    expect(machineLines({ ...machine, loadBefore: 2.5 }).join('\n')).toContain('2.5 (MACHINE WAS BUSY');
  });
});

describe('charts', () => {
  it('draws a point per environment and backend, and one for the GPU time', async () => {
    const svg = await speedChart(document.environments, ['A machine & more']);
    expectSvg(svg);
    expect(svg).toContain('First &lt;env&gt;');
    expect(svg).toContain('A machine &amp; more');
    expect(svg).toContain('webgpu, GPU time');
    expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(6);
    // Readable on a dark page: it brings its own background.
    expect(svg).toContain('fill="white"');
  });

  it('draws a panel per environment and a point per row', async () => {
    const svg = await scalingChart(document.environments, 'episodes', []);
    expectSvg(svg);
    expect(svg).toContain('Second');
    expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(6);
    expect(svg).toMatch(/>1e2</);
  });
});
