/** The folder of `r2po bench --save`: data, tables and charts. */

import { join } from 'node:path';
import { jsonText } from '../../base/json.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { counted } from '../../base/plain-number.ts';
import { inertLine } from '../../base/printable.ts';
import type { BenchDocument } from '../../bench/benchmark.ts';
import { type ScalingAxis, scalingAxes } from '../../bench/scaling.ts';
import { markdownTable, markdownText } from '../tables/table.ts';
import { scalingChart, speedChart } from './charts.ts';
import { benchTables, machineLines } from './tables.ts';

/** Writes `bench.json`, `bench.md` and the charts; returns their names. `command` repeats the measurement. */
export async function saveBench(folder: string, document: BenchDocument, command: string): Promise<string[]> {
  const { environments, machine, date } = document;
  const subtitle = [
    machine.adapter ?? machine.cpu,
    `${machine.cpu}, ${counted(machine.threads, 'thread')}; ${date.slice(0, 10)}`,
  ];
  const charts = [{ name: 'speed.svg', about: 'Steps per second', svg: await speedChart(environments, subtitle) }];
  for (const axis of scalingAxes) {
    if (!environments.some(({ scalings }) => scalings.some((curve) => curve.axis === axis))) continue;
    const svg = await scalingChart(environments, axis, subtitle);
    charts.push({ name: scalingName(axis), about: `Time of one call against ${axis}`, svg });
  }
  const pictures = charts.map(({ name, about }) => `![${about}](${name})`);
  const files = [
    { name: 'bench.json', text: jsonText(document) },
    { name: 'bench.md', text: markdown(document, command, pictures) },
    ...charts.map(({ name, svg }) => ({ name, text: svg })),
  ];
  try {
    for (const { name, text } of files) replaceFile(join(folder, name), text, 'rebuildable');
  } catch (cause) {
    throw cannotUse('--save', 'a writable folder', folder, cause);
  }
  return files.map(({ name }) => name);
}

const scalingName = (axis: ScalingAxis): string => `scaling-${axis}.svg`;

const method = [
  'Times are medians of several whole `evaluate` calls, statistics included, after compilation and warm-up.',
  'The policy is the one with the longest episodes among 512 random policies, so that a call measures steps and not ' +
    'resets. Every environment runs in a separate process.',
  'GPU time is the time of the dispatches by the timestamps of the device.',
  'Measurements that would take too long are left out, or extrapolated and marked as estimates.',
];

function markdown(document: BenchDocument, command: string, pictures: readonly string[]): string {
  const tables = benchTables(document).map((table) => `## ${table.title}\n\n${table.note}\n\n${markdownTable(table)}`);
  const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');
  const made = `Measured ${document.date} by \`${inertLine(command).replaceAll('`', '')}\`.`;
  return `${['# Benchmark', made, list(machineLines(document.machine).map(markdownText)), list(method), ...pictures, ...tables].join('\n\n')}\n`;
}
