/** The tensors of a PyTorch state dict (`policy.pth`), and the statistics of SB3's `VecNormalize`. */
import { ZipArchive } from '../common/zip.ts';
import { Damaged } from '../reference/files.ts';
import { readNumbers } from './npy.ts';
import { type Pickled, PickledGlobal, PickledObject, PickledReference, readPickle } from './pickle.ts';

export interface Tensor {
  readonly shape: readonly number[];
  /** row by row */
  readonly values: Float64Array;
}

export interface StateDict {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** names of the modules, which hold tensors or have none, such as activations */
  readonly modules: readonly string[];
}

/** The dtype in NumPy's words, by storage. */
const storages: Readonly<Record<string, string>> = {
  'torch FloatStorage': '<f4',
  'torch DoubleStorage': '<f8',
  'torch LongStorage': '<i8',
  'torch IntStorage': '<i4',
  'torch BoolStorage': '|b1',
};
const rebuild = 'torch._utils _rebuild_tensor_v2';
const ordered = 'collections OrderedDict';
const known = new Set([...Object.keys(storages), rebuild, ordered]);
const maxNumbers = 5e7;

const wholes = (value: Pickled | undefined): number[] => {
  const fits = Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
  if (!fits) throw new Damaged('the sizes of a tensor', 'other values');
  return value as number[];
};

/** Throws `Damaged`. */
export function readStateDict(bytes: Buffer): StateDict {
  const archive = new ZipArchive(bytes);
  const pickle = archive.names.find((name) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  if (pickle === undefined) throw new Damaged('the tensors of PyTorch 1.6 or later', 'an archive without data.pkl');
  const root = pickle.slice(0, -'data.pkl'.length);
  const order = archive.has(`${root}byteorder`) ? archive.read(`${root}byteorder`).toString('latin1').trim() : 'little';
  if (order !== 'little') throw new Damaged('little-endian tensors', order.slice(0, 20));
  const value = readPickle(archive.read(pickle), (name) => known.has(name));
  if (!(value instanceof PickledObject) || value.of !== ordered) throw new Damaged('a state dict', 'another object');
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of value.entries) {
    if (typeof name === 'string' && entry instanceof PickledObject && entry.of === rebuild) {
      tensors.set(name, tensorOf(entry, archive, root));
    }
  }
  const metadata = value.state instanceof Map ? value.state.get('_metadata') : null;
  const modules = metadata instanceof PickledObject ? [...metadata.entries.keys()].map(String) : [];
  return { tensors, modules };
}

function tensorOf({ args }: PickledObject, archive: ZipArchive, root: string): Tensor {
  const [reference, offset, sizes, strides] = args;
  const id = reference instanceof PickledReference ? reference.id : null;
  const [, storage, key, , count] = Array.isArray(id) ? id : [];
  const dtype = storage instanceof PickledGlobal ? storages[storage.name] : undefined;
  if (dtype === undefined || typeof key !== 'string' || !/^\d+$/.test(key))
    throw new Damaged('a tensor', 'another object');
  const shape = wholes(sizes);
  const steps = wholes(strides);
  const [length, start] = wholes([count ?? null, offset ?? null]) as [number, number];
  const size = shape.reduce((product, n) => product * n, 1);
  if (size > maxNumbers || length > maxNumbers || steps.length !== shape.length) {
    throw new Damaged(`a tensor of at most ${maxNumbers} numbers`, `one of ${size}`);
  }
  const numbers = readNumbers(dtype, archive.read(`${root}data/${key}`), length);
  const values = Float64Array.from({ length: size }, (_, flat) => {
    let rest = flat;
    let at = start;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * steps[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return numbers[at] ?? Number.NaN;
  });
  if (!values.every(Number.isFinite)) throw new Damaged('finite numbers in a tensor', 'others');
  return { shape, values };
}

/** How observations were normalised: (observation - mean) / deviation, cut to +-clip. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly clip: number;
}

/** Described and never run: the classes of the libraries that wrote the statistics. */
const describable =
  /^(?:stable_baselines3|sb3_contrib|gymnasium|gym|numpy|collections|_codecs|builtins (?:bytearray|set))\b/;

function arrayOf(value: Pickled | undefined): number[] {
  if (!(value instanceof PickledObject) || !Array.isArray(value.state)) throw new Damaged('an array', 'another object');
  const [, shape, dtype, inColumns, data] = value.state;
  const name = dtype instanceof PickledObject ? dtype.args[0] : undefined;
  if (typeof name !== 'string' || !Buffer.isBuffer(data) || inColumns === true)
    throw new Damaged('an array', 'another');
  const count = wholes(shape).reduce((product, n) => product * n, 1);
  return [...readNumbers(name, data, count)];
}

/** The statistics of the observations in `vecnormalize.pkl`; null: rewards alone were normalised. Throws `Damaged`. */
export function readNormalisation(bytes: Buffer): Normalisation | null {
  const value = readPickle(bytes, (name) => describable.test(name));
  const state = value instanceof PickledObject ? value.state : null;
  if (!(state instanceof Map)) throw new Damaged('the statistics of VecNormalize', 'another object');
  if (state.get('norm_obs') === false) return null;
  const statistics = state.get('obs_rms');
  const inside = statistics instanceof PickledObject ? statistics.state : null;
  if (!(inside instanceof Map)) throw new Damaged('statistics of vectors of observations', 'others');
  const [epsilon, clip] = [state.get('epsilon'), state.get('clip_obs')];
  if (typeof epsilon !== 'number' || typeof clip !== 'number') throw new Damaged('epsilon and clip_obs', 'others');
  const variance = arrayOf(inside.get('var'));
  return { mean: arrayOf(inside.get('mean')), deviation: variance.map((v) => Math.sqrt(v + epsilon)), clip };
}
