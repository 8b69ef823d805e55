/**
 * The scalars that SB3's logger writes: a column of `progress.csv` or a tag of a TensorBoard event file for each. They are
 * the only account of a training without monitor files and evaluations. Files are untrusted.
 */
import type { Hash } from 'node:crypto';
import { basename } from 'node:path';
import { readRegular } from '../../base/node/read-file.ts';
import { crc32c, maskedCrc } from '../../runs/folder/tensorboard.ts';
import type { ImportLog } from '../common/import-log.ts';
import { cannotRead, Damaged, type FileProblem, readText } from '../reference/files.ts';
import { readNumber } from '../reference/text.ts';
import { cellsOf } from './monitor.ts';
import { maxIterations } from './training.ts';

/** Mean return of the training's last episodes, 100 by default. */
export const rewardTag = 'rollout/ep_rew_mean';
const evaluationTag = 'eval/mean_reward';
const stepsTag = 'time/total_timesteps';
const secondsTag = 'time/time_elapsed';

export interface ScalarPoint {
  /** training steps before it */
  readonly timestep: number;
  readonly value: number;
  /** s since the start of the training */
  readonly seconds: number;
}

export interface Scalars {
  /** `eval/mean_reward` or, without any, `rollout/ep_rew_mean` */
  readonly tag: string;
  readonly points: readonly ScalarPoint[];
  /** s since 1970; null: not in the file */
  readonly start: number | null;
}

export const isEvaluated = ({ tag }: Scalars): boolean => tag === evaluationTag;

type Found = { readonly scalars: Scalars } | FileProblem;
type PointsByTag = Map<string, ScalarPoint[]>;

function push(byTag: PointsByTag, tag: string, point: ScalarPoint): void {
  const points = byTag.get(tag);
  if (points) points.push(point);
  else byTag.set(tag, [point]);
}

function chosen(byTag: PointsByTag, start: number | null): Found {
  for (const tag of [evaluationTag, rewardTag]) {
    const points = byTag.get(tag) ?? [];
    if (points.length > maxIterations) return { expected: `at most ${maxIterations} points`, found: 'more of them' };
    if (points.length > 0) return { scalars: { tag, points, start } };
  }
  return { expected: `values of ${evaluationTag} or ${rewardTag}`, found: 'none' };
}

export async function readProgress(path: string, importLog: ImportLog): Promise<Found> {
  importLog.begin(basename(path));
  const read = await readText(path, importLog.digest);
  if (!('text' in read)) return read;
  const [head, ...lines] = read.text.split(/\r?\n/);
  const columns = cellsOf(head!) ?? [];
  const steps = columns.indexOf(stepsTag);
  if (steps < 0) return { expected: `the column ${stepsTag}`, found: 'none' };
  const byTag: PointsByTag = new Map();
  for (const line of lines) {
    const cells = cellsOf(line) ?? [];
    const timestep = readNumber(cells[steps] ?? '');
    if (timestep === null) continue;
    for (const tag of [evaluationTag, rewardTag]) {
      const value = readNumber(cells[columns.indexOf(tag)] ?? '');
      const seconds = readNumber(cells[columns.indexOf(secondsTag)] ?? '') ?? 0;
      if (value !== null) push(byTag, tag, { timestep, value, seconds });
    }
  }
  return chosen(byTag, null);
}

/** Fields of a protocol-buffer message: numbers of 64 and 32 bits, varints, and bytes. */
function* fieldsOf(bytes: Buffer): Generator<{ readonly id: number; readonly value: number | Buffer }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Damaged('a number', 'more than ten bytes');
  };
  while (at < bytes.length) {
    const key = varint();
    const [id, type] = [Math.floor(key / 8), key % 8];
    if (type === 0) yield { id, value: varint() };
    else if (type === 1) {
      yield { id, value: bytes.readDoubleLE(at) };
      at += 8;
    } else if (type === 5) {
      yield { id, value: bytes.readFloatLE(at) };
      at += 4;
    } else if (type === 2) {
      const size = varint();
      if (at + size > bytes.length) throw new Damaged('a whole message', 'a part of it');
      yield { id, value: bytes.subarray(at, at + size) };
      at += size;
    } else throw new Damaged('an event', `a field of type ${type}`);
  }
}

/** The scalars of one `Event` message. */
function readEvent(bytes: Buffer): { time: number; step: number; scalars: { tag: string; value: number }[] } {
  const event = { time: 0, step: 0, scalars: [] as { tag: string; value: number }[] };
  for (const { id, value } of fieldsOf(bytes)) {
    if (id === 1 && typeof value === 'number') event.time = value;
    if (id === 2 && typeof value === 'number') event.step = value;
    if (id !== 5 || typeof value === 'number') continue;
    for (const { id: entry, value: summary } of fieldsOf(value)) {
      if (entry !== 1 || typeof summary === 'number') continue;
      let tag = '';
      let number: number | null = null;
      for (const { id: part, value: content } of fieldsOf(summary)) {
        if (part === 1 && typeof content !== 'number') tag = content.toString('utf8');
        if (part === 2 && typeof content === 'number') number = content;
      }
      if (number !== null && Number.isFinite(number)) event.scalars.push({ tag, value: number });
    }
  }
  return event;
}

/** The event files of one training in their order; damaged ones are logged. */
export function readTensorBoard(paths: readonly string[], importLog: ImportLog): Found {
  const byTag: PointsByTag = new Map();
  let start: number | null = null;
  for (const path of paths) {
    importLog.begin(basename(path));
    const file = readEventFile(path, importLog.digest, start);
    if (!('byTag' in file)) {
      importLog.skip(path, file);
      continue;
    }
    start ??= file.start;
    for (const [tag, points] of file.byTag) {
      // A training that went on from a checkpoint repeats what had followed it.
      const before = (byTag.get(tag) ?? []).filter(({ timestep }) => timestep < points[0]!.timestep);
      byTag.set(tag, [...before, ...points]);
    }
  }
  return chosen(byTag, start);
}

/** `start`: of the training, s since 1970; null: that of the file */
function readEventFile(
  path: string,
  digest: Hash,
  start: number | null,
): { readonly byTag: PointsByTag; readonly start: number | null } | FileProblem {
  try {
    const bytes = readRegular(path);
    digest.update(bytes);
    const byTag: PointsByTag = new Map();
    let origin = start;
    // A training that goes on has a last record that is not whole.
    for (let at = 0; at + 16 <= bytes.length; ) {
      const size = Number(bytes.readBigUInt64LE(at));
      if (bytes.readUInt32LE(at + 8) !== maskedCrc(crc32c(bytes.subarray(at, at + 8)))) {
        throw new Damaged('a TensorBoard event file', 'a record without its checksum');
      }
      const data = bytes.subarray(at + 12, at + 12 + size);
      if (data.length < size || at + 16 + size > bytes.length) break;
      const { time, step, scalars } = readEvent(data);
      origin ??= time;
      for (const { tag, value } of scalars) {
        if (tag !== evaluationTag && tag !== rewardTag) continue;
        push(byTag, tag, { timestep: step, value, seconds: time - origin });
      }
      at += 16 + size;
    }
    return { byTag, start: origin };
  } catch (error) {
    if (error instanceof Damaged) return { expected: error.expected, found: error.found };
    return { expected: 'a readable event file', found: cannotRead(error) };
  }
}
