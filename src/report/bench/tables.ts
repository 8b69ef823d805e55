/** The tables of `r2po bench`. */
import { counted, significant } from '../../base/plain-number.ts';
import type { BenchDocument, EnvBench } from '../../bench/benchmark.ts';
import { type Machine, quietLoad } from '../../bench/machine.ts';
import { flatGrowth, type ScalingAxis } from '../../bench/scaling.ts';
import type { Million } from '../../bench/timing.ts';
import { left, right, type Table, tableOf } from '../tables/table.ts';

/** 3.21e7 */
const power = (value: number): string => value.toExponential(2).replace('e+', 'e');
const milliseconds = (seconds: number): string => significant(seconds * 1000, 3);

/** Only tables with measurements. */
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
  const rows = environments.flatMap(({ env, policy, rows }) => rows.map((row) => ({ env, policy, ...row })));
  return tableOf(rows, {
    title: 'Speed',
    note: 'Environment steps per second of whole evaluate calls, statistics included.',
    columns: [
      left('environment', ({ env }) => env),
      left('policy', ({ policy }) => policy),
      left('backend', ({ backend }) => backend),
      right('episodes', ({ episodes }) => episodes),
      right('steps/episode', ({ steps, episodes }) => (steps / episodes).toFixed(1)),
      right('mean return', ({ meanReturn }) => meanReturn.toFixed(2)),
      right('wall ms', ({ wallSeconds }) => (wallSeconds * 1000).toFixed(2)),
      right('steps/s', ({ stepsPerSecond }) => power(stepsPerSecond)),
      right('GPU ms', ({ gpuSeconds }) => (gpuSeconds === null ? null : (gpuSeconds * 1000).toFixed(3))),
      right('by GPU time', ({ gpuStepsPerSecond: speed }) => (speed === null ? null : power(speed))),
      right('x one thread', ({ ratio }) => ratio.toFixed(2)),
    ],
  });
}

/** An estimate never looks like a measurement. */
export function millionText(million: Million): string {
  const seconds = `${significant(million.seconds, 3)} s`;
  return million.kind === 'measured'
    ? seconds
    : `about ${seconds}, estimated from ${counted(million.fromEpisodes, 'episode')}`;
}

function callTable(environments: readonly EnvBench[]): Table {
  const rows = environments.flatMap(({ env, latencies, millions }) =>
    latencies.map((call) => ({ env, ...call, million: millions.find(({ backend }) => backend === call.backend) })),
  );
  return tableOf(rows, {
    title: 'One call',
    note: 'A small call plays 2 candidates on 20 episodes each, as a search does; everything is warm.',
    columns: [
      left('environment', ({ env }) => env),
      left('backend', ({ backend }) => backend),
      right('small call, median ms', ({ medianSeconds }) => milliseconds(medianSeconds)),
      right('95th percentile, ms', ({ p95Seconds }) => milliseconds(p95Seconds)),
      right('calls', ({ calls }) => calls),
      left('10^6 episodes', ({ million }) => (million ? millionText(million) : null)),
    ],
  });
}

function issueTable(environments: readonly EnvBench[]): Table {
  const rows = environments.flatMap(({ env, issue }) => (issue ? [{ env, ...issue }] : []));
  return tableOf(rows, {
    title: 'Share of the issue rate',
    note:
      'Operations per step are counted from the WGSL of the episode loop; "fused" counts an addition of a product with ' +
      'the product as one. The bound is the measured issue rate over the fused count.',
    columns: [
      left('environment', ({ env }) => env),
      right('operations/step', ({ operations }) => operations),
      right('fused', ({ fused }) => fused),
      right('issue rate, operations/s', ({ issueRate }) => power(issueRate.operationsPerSecond)),
      right('bound, steps/s', ({ bound }) => power(bound)),
      right('measured steps/s', ({ stepsPerSecond }) => power(stepsPerSecond)),
      left('by', ({ clock }) => `${clock} time`),
      right('share', ({ share }) => `${(share * 100).toFixed(0)} %`),
    ],
  });
}

/** A row per curve, a column per count. */
function scalingTable(environments: readonly EnvBench[], axis: ScalingAxis): Table {
  const curves = environments.flatMap(({ env, scalings }) =>
    scalings.filter((s) => s.axis === axis).map((scaling) => ({ env, ...scaling })),
  );
  const counts = [...new Set(curves.flatMap(({ rows }) => rows.map((row) => row[axis])))].sort((a, b) => a - b);
  const of = axis === 'episodes' ? 'episodes of one candidate' : 'candidates with 20 episodes each';
  return tableOf(curves, {
    title: `Cost against ${axis}`,
    note:
      `Milliseconds of one call with that many ${of}; "-": not measured, because it would have taken too long. Above ` +
      `"flat up to", the cost grows by more than ${flatGrowth} per doubling; "all": it never does.`,
    columns: [
      left('environment', ({ env }) => env),
      left('backend', ({ backend }) => backend),
      ...counts.map((count) =>
        right(`${count}`, ({ rows }: (typeof curves)[number]) => {
          const row = rows.find((one) => one[axis] === count);
          return row ? milliseconds(row.seconds) : null;
        }),
      ),
      // One point is no curve.
      right('flat up to', ({ rows, flatUntil }) => (rows.length < 2 ? null : (flatUntil ?? 'all'))),
    ],
  });
}

function costTable(environments: readonly EnvBench[]): Table {
  const rows = environments.map(({ env, heap, compile }) => {
    const slowest = compile?.reduce((a, b) => (b.seconds > a.seconds ? b : a));
    return { env, heap, slowest };
  });
  return tableOf(rows, {
    title: 'Heap and compiler',
    note: 'Memory that V8 allocates while one cpu thread plays, and the compile time of the slowest policy kind.',
    columns: [
      left('environment', ({ env }) => env),
      right('cpu: heap bytes/step', ({ heap }) => (heap.bytes / heap.steps).toFixed(4)),
      right('collections', ({ heap }) => heap.collections),
      right('in steps', ({ heap }) => heap.steps),
      right('webgpu: slowest compile ms', ({ slowest }) => (slowest ? (slowest.seconds * 1000).toFixed(0) : null)),
      left('of', ({ slowest }) => slowest?.policyKind ?? ''),
    ],
  });
}

function handLoopTable(environments: readonly EnvBench[]): Table {
  const rows = environments.flatMap(({ env, bare }) => (bare ? [{ env, ...bare }] : []));
  return tableOf(rows, {
    title: 'Compared with a hand-written loop',
    note: 'The same work in plain JavaScript without an interface between policy, physics and loop, on one thread.',
    columns: [
      left('environment', ({ env }) => env),
      right('hand-written, steps/s', ({ stepsPerSecond }) => power(stepsPerSecond)),
      right('cpu, 1 thread', ({ cpuStepsPerSecond }) => power(cpuStepsPerSecond)),
      right('relative speed', ({ ratio }) => ratio.toFixed(2)),
    ],
  });
}

/** One line per fact. */
export function machineLines(machine: Machine): string[] {
  const { cpu, threads, memoryBytes, system, node, adapter, dawn, software, timestamps, nvidia, loadBefore } = machine;
  const clock = timestamps ? 'GPU time by timestamps' : 'no GPU clock';
  return [
    `CPU: ${cpu}, ${counted(threads, 'thread')}, ${significant(memoryBytes / 2 ** 30, 3)} GiB`,
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
  const verdict = load > quietLoad ? 'MACHINE WAS BUSY, do not trust these numbers' : 'quiet';
  return `running processes in the minute before: ${load.toFixed(1)} (${verdict})`;
}
