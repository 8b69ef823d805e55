/**
 * Trials of an earlier search that a run starts from, in place of random policies: the warm-up files of the reference's logs
 * (`warmup/warmup_rollout_<i>.txt`), and files written like them.
 */
import { join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { moments } from '../../base/moments.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import { byNaturalOrder, listFolder } from '../../base/node/walk.ts';

export interface RecordedTrial {
  /** name of its file */
  readonly file: string;
  readonly params: readonly number[];
  /** mean of its episodes, and their number */
  readonly mean: number;
  readonly episodes: number;
  /** steps of an episode, the mean rounded */
  readonly length: number;
}

const unit = 'warmup.dir';
const fileName = /^warmup_rollout_\d{1,9}\.txt$/;
const number = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const numbers = new RegExp(`^\\s*${number}(?:\\s*,\\s*${number})*\\s*,?\\s*$`);
const total = new RegExp(`^\\s*Total reward\\s*:\\s*(${number})\\s*$`, 'i');

/**
 * Reads one file: per episode a line of parameters and the line "parameter ends", a header, a line per step, and
 * "Total reward: <return>". Its parameters are those before its first "parameter ends". Throws a usage error with file and
 * line for anything else.
 */
export function readRecordedTrial(path: string, text: string, count: number): Omit<RecordedTrial, 'file'> {
  const fail = (line: number, expected: string, found: string): never => {
    throw new UsageError(unit, `${path}:${line}: expected ${expected}, got ${found}; correct or remove the file`);
  };
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line) => line.trim() === 'parameter ends');
  if (end < 0) fail(1, 'a line "parameter ends"', 'none (logs of tabular policies have no parameters)');
  const params = lines
    .slice(0, end)
    .filter((line) => numbers.test(line))
    .flatMap((line) => line.split(',').filter((cell) => cell.trim() !== ''))
    .map(Number);
  if (params.length !== count) fail(end + 1, `${count} parameters`, String(params.length));
  const returns: number[] = [];
  const lengths: number[] = [];
  let steps = 0;
  for (const line of lines.slice(end + 1)) {
    const found = total.exec(line);
    if (found) {
      returns.push(Number(found[1]));
      lengths.push(steps);
      steps = 0;
    } else if (/^[^|]+\|[^|]+\|\s*[-+.\d]/.test(line)) steps += 1;
  }
  if (returns.length === 0) fail(lines.length, 'a line "Total reward: <return>"', 'none');
  const mean = moments(returns).mean;
  if (!Number.isFinite(mean) || !params.every(Number.isFinite)) fail(1, 'finite numbers', 'others');
  return { params, mean, episodes: returns.length, length: Math.round(moments(lengths).mean) };
}

function textOf(path: string): string {
  try {
    return readRegularText(path);
  } catch (cause) {
    throw cannotUse(unit, 'a file of a recorded trial', path, cause);
  }
}

/** The trials of a folder in the order of their numbers. Throws a usage error for a folder without any. */
export function readRecordedTrials(folder: string, count: number): RecordedTrial[] {
  let names: readonly string[];
  try {
    names = listFolder(folder).all;
  } catch (cause) {
    throw cannotUse(unit, 'a folder of recorded trials', folder, cause);
  }
  const files = names.filter((name) => fileName.test(name)).sort(byNaturalOrder);
  if (files.length === 0) {
    throw new UsageError(
      unit,
      `expected files warmup_rollout_<i>.txt in "${folder}", found none; name the folder "warmup" of a run of the reference`,
    );
  }
  return files.map((file) => {
    const path = join(folder, file);
    return { file, ...readRecordedTrial(path, textOf(path), count) };
  });
}
