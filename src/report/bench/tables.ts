/** What `r2po bench` measured, as tables. */
import { significant } from '../../base/plain-number.ts';
import type { BenchDocument, EnvBench } from '../../bench/benchmark.ts';
import { type Machine, quietLoad } from '../../bench/machine.ts';
import { flatGrowth, type ScalingAxis } from '../../bench/scaling.ts';
import type { Million } from '../../bench/timing.ts';
import { type Cell, left, right, type Table } from '../tables/table.ts';

/** 3.21e7 */
const power = (value: number): string => value.toExponential(2).replace('e+', 'e');
const milliseconds = (seconds: number): string => significant(seconds * 1000, 3);

/** The tables that have something to say. */
export function benchTables({ environments }: BenchDocument): Table[] {
  const tables = [
    speedTable(environments),
    callTable(environments),
    issueTable(environments),
    scalingTable(environments, 'episodes'),
    scalingTable(environments, 'candidates'),
    costTable(environments),
    handLoopTable(environments),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

function speedTable(environments: readonly EnvBench[]): Table {
  return {
    title: 'Speed',
    note: 'Environment steps per second of whole evaluate calls, statistics included.',
    columns: [
      left('environment'),
      left('policy'),
      left('backend'),
      right('episodes'),
      right('steps/episode'),
      right('mean return'),
      right('wall ms'),
      right('steps/s'),
      right('GPU ms'),
      right('by GPU time'),
      right('x one thread'),
    ],
    rows: environments.flatMap(({ env, policy, rows }) =>
      rows.map((r) => [
        env,
        policy,
        r.backend,
        r.episodes,
        (r.steps / r.episodes).toFixed(1),
        r.meanReturn.toFixed(2),
        (r.wallSeconds * 1000).toFixed(2),
        power(r.stepsPerSecond),
        r.gpuSeconds === null ? null : (r.gpuSeconds * 1000).toFixed(3),
        r.gpuStepsPerSecond === null ? null : power(r.gpuStepsPerSecond),
        r.ratio.toFixed(2),
      ]),
    ),
  };
}

/** An estimate never looks like a measurement. */
export function millionText(million: Million): string {
  const seconds = `${significant(million.seconds, 3)} s`;
  return million.kind === 'measured' ? seconds : `about ${seconds}, estimated from ${million.fromEpisodes} episodes`;
}

function callTable(environments: readonly EnvBench[]): Table {
  return {
    title: 'One call',
    note: 'A small call is 2 candidates on 20 episodes each, as a search makes it, when all is warm.',
    columns: [
      left('environment'),
      left('backend'),
      right('small call, median ms'),
      right('95 of 100 within ms'),
      right('calls'),
      left('10^6 episodes'),
    ],
    rows: environments.flatMap(({ env, latencies, millions }) =>
      latencies.map(({ backend, medianSeconds, p95Seconds, calls }) => {
        const million = millions.find((m) => m.backend === backend);
        return [
          env,
          backend,
          milliseconds(medianSeconds),
          milliseconds(p95Seconds),
          calls,
          million ? millionText(million) : null,
        ];
      }),
    ),
  };
}

function issueTable(environments: readonly EnvBench[]): Table {
  return {
    title: 'Share of the issue rate',
    note:
      'Operations per step are counted from the WGSL of the episode loop; "fused" counts an addition of a product with ' +
      'the product as one. The bound is the measured issue rate over the fused count.',
    columns: [
      left('environment'),
      right('operations/step'),
      right('fused'),
      right('issue rate, operations/s'),
      right('bound, steps/s'),
      right('measured steps/s'),
      left('by'),
      right('share'),
    ],
    rows: environments.flatMap(({ env, issue }) =>
      issue
        ? [
            [
              env,
              issue.operations,
              issue.fused,
              power(issue.issueRate.operationsPerSecond),
              power(issue.bound),
              power(issue.stepsPerSecond),
              `${issue.clock} time`,
              `${(issue.share * 100).toFixed(0)} %`,
            ],
          ]
        : [],
    ),
  };
}

/** A row per curve, a column per count. */
function scalingTable(environments: readonly EnvBench[], axis: ScalingAxis): Table {
  const curves = environments.flatMap(({ env, scalings }) =>
    scalings.filter((s) => s.axis === axis).map((scaling) => ({ env, ...scaling })),
  );
  const counts = [...new Set(curves.flatMap(({ rows }) => rows.map((row) => row[axis])))].sort((a, b) => a - b);
  const of = axis === 'episodes' ? 'episodes of one candidate' : 'candidates with 20 episodes each';
  return {
    title: `Cost against ${axis}`,
    note:
      `Milliseconds of one call of so many ${of}; "-" where it would have taken too long. From the number under "flat ` +
      `up to" on, the cost grows by more than ${flatGrowth} per doubling; "all" where it never does.`,
    columns: [
      left('environment'),
      left('backend'),
      ...counts.map((count) => right(String(count))),
      right('flat up to'),
    ],
    rows: curves.map(({ env, backend, rows, flatUntil }) => [
      env,
      backend,
      ...counts.map((count): Cell => {
        const row = rows.find((r) => r[axis] === count);
        return row ? milliseconds(row.seconds) : null;
      }),
      // One point is no curve.
      rows.length < 2 ? null : (flatUntil ?? 'all'),
    ]),
  };
}

function costTable(environments: readonly EnvBench[]): Table {
  return {
    title: 'Heap and compiler',
    note: 'What V8 allocates while one cpu thread plays, and the slowest program among the policy kinds.',
    columns: [
      left('environment'),
      right('cpu: heap bytes/step'),
      right('collections'),
      right('in steps'),
      right('webgpu: slowest compile ms'),
      left('of'),
    ],
    rows: environments.map(({ env, heap, compile }) => {
      const slowest = compile?.reduce((a, b) => (b.seconds > a.seconds ? b : a));
      return [
        env,
        (heap.bytes / heap.steps).toFixed(4),
        heap.collections,
        heap.steps,
        slowest ? (slowest.seconds * 1000).toFixed(0) : null,
        slowest?.policyKind ?? '',
      ];
    }),
  };
}

function handLoopTable(environments: readonly EnvBench[]): Table {
  return {
    title: 'Beside a loop written out by hand',
    note: 'The same work in plain JavaScript without an interface between policy, physics and loop, on one thread.',
    columns: [left('environment'), right('by hand, steps/s'), right('cpu, 1 thread'), right('of it')],
    rows: environments.flatMap(({ env, bare }) =>
      bare ? [[env, power(bare.stepsPerSecond), power(bare.cpuStepsPerSecond), bare.ratio.toFixed(2)]] : [],
    ),
  };
}

/** One line per fact. */
export function machineLines(machine: Machine): string[] {
  const { cpu, threads, memoryBytes, system, node, adapter, dawn, software, timestamps, nvidia, loadBefore } = machine;
  const clock = timestamps ? 'GPU time by timestamps' : 'no GPU clock';
  return [
    `CPU: ${cpu}, ${threads} threads, ${significant(memoryBytes / 2 ** 30, 3)} GiB`,
    `system: ${system}; Node ${node}`,
    adapter === null ? 'adapter: none' : `adapter: ${adapter}${software ? ' (software)' : ''}; ${clock}; Dawn ${dawn}`,
    ...nvidia.map(({ name, driver, clock, highestClock }) => {
      const clocks = clock === null ? '' : `, SM clock ${clock} of ${highestClock ?? '?'} MHz after the measurement`;
      return `nvidia-smi: ${name}, driver ${driver}${clocks}`;
    }),
    ...(loadBefore === null ? [] : [loadLine(loadBefore)]),
  ];
}

function loadLine(load: number): string {
  const verdict = load > quietLoad ? 'NOT QUIET, the numbers say little' : 'quiet';
  return `processes at work in the minute before: ${load.toFixed(1)} (${verdict})`;
}
