/** `evaluations.npz` of SB3's `EvalCallback`: the episodes of each evaluation of the policy during a training. */
import type { Hash } from 'node:crypto';
import { readRegular } from '../../base/node/read-file.ts';
import { ZipArchive } from '../common/zip.ts';
import { cannotRead, Damaged, type FileProblem } from '../reference/files.ts';
import { type NumpyArray, readNpy } from './npy.ts';
import { maxIterations } from './training.ts';

export interface Evaluation {
  /** training steps before it */
  readonly timestep: number;
  readonly returns: readonly number[];
  /** steps of each episode */
  readonly lengths: readonly number[];
}

/** What the evaluations of a training come to. */
export interface EvaluationFigures {
  readonly points: number;
  readonly episodes_each: number;
  readonly last_timestep: number;
  readonly best_mean: number;
  readonly last_mean: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function figuresOf(evaluations: readonly Evaluation[]): EvaluationFigures {
  const means = evaluations.map(({ returns }) => mean(returns));
  const last = evaluations[evaluations.length - 1]!;
  return {
    points: evaluations.length,
    episodes_each: last.returns.length,
    last_timestep: last.timestep,
    best_mean: means.reduce((a, b) => Math.max(a, b)),
    last_mean: means[means.length - 1]!,
  };
}

function rows({ shape, values }: NumpyArray, points: number, name: string): number[][] {
  const [height, width] = shape;
  if (shape.length !== 2 || height !== points || width! < 1) {
    throw new Damaged(`a row of ${name} for each of ${points} evaluations`, `the shape (${shape.join(', ')})`);
  }
  return Array.from({ length: points }, (_, i) => [...values.subarray(i * width!, (i + 1) * width!)]);
}

/** The evaluations in their order, of which there is at least one. */
export function readEvaluations(
  path: string,
  digest: Hash,
): { readonly evaluations: readonly Evaluation[] } | FileProblem {
  try {
    const bytes = readRegular(path);
    digest.update(bytes);
    const archive = new ZipArchive(bytes);
    const array = (name: string): NumpyArray => readNpy(archive.read(`${name}.npy`));
    const timesteps = array('timesteps');
    const points = timesteps.values.length;
    if (points === 0 || points > maxIterations) throw new Damaged(`1 to ${maxIterations} evaluations`, String(points));
    const returns = rows(array('results'), points, 'returns');
    const lengths = rows(array('ep_lengths'), points, 'lengths');
    if (lengths[0]!.length !== returns[0]!.length)
      throw new Damaged('a length for each return', 'another number of them');
    const plausible = (values: readonly number[][], fits: (value: number) => boolean) => values.flat().every(fits);
    if (!plausible(returns, (value) => Math.abs(value) <= 1e100)) throw new Damaged('finite returns', 'others');
    if (!plausible(lengths, (value) => Number.isSafeInteger(value) && value >= 1 && value <= 1e9)) {
      throw new Damaged('lengths of episodes', 'other numbers');
    }
    const steps = [...timesteps.values];
    return { evaluations: steps.map((timestep, i) => ({ timestep, returns: returns[i]!, lengths: lengths[i]! })) };
  } catch (error) {
    if (error instanceof Damaged) return { expected: error.expected, found: error.found };
    return { expected: 'a readable archive of evaluations', found: cannotRead(error) };
  }
}
