/** WebGPU in Node: the adapters of Dawn. */
import { AdapterError, unknownName } from '../../../base/errors.ts';
import { type AdapterReport, type DeviceLimits, type GpuDevice, openGpuDevice, reportOf } from '../device.ts';
import { isLoaderMissing, whyNoAdapter } from './vulkan.ts';

export interface DeviceOptions {
  /** number in `listAdapters`, or part of a name there; null: the adapter that Dawn offers */
  readonly adapter?: string | null;
  /** true: Dawn's own adapter, which compiles everything and runs nothing */
  readonly nothingRuns?: boolean;
  readonly limits?: DeviceLimits;
  /** false: the error does not say why there is no adapter, which takes another process to find out */
  readonly explain?: boolean;
}

/** An adapter that `--adapter` can choose. */
export interface ListedAdapter {
  /** such as "vulkan" or "d3d12" */
  readonly api: string;
  /** the driver's name of the device */
  readonly name: string;
}

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  readonly report: AdapterReport;
}

type Dawn = typeof import('webgpu');

/**
 * Dawn's root objects, one per set of flags, kept for as long as the process lives: the devices of a collected one die,
 * and what it still had scheduled then runs on freed memory.
 */
const instances = new Map<string, GPU>();

function instanceWith(webgpu: Dawn, flags: string[]): GPU {
  const key = flags.join(' ');
  const instance = instances.get(key) ?? webgpu.create(flags);
  instances.set(key, instance);
  return instance;
}

/** Says why the native package does not load. */
export function loadProblem(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  const [first = ''] = message.split('\n');
  const platform = `${process.platform}-${process.arch}`;
  const library = /^(\S+\.so[.\d]*): cannot open shared object file/.exec(first)?.[1];
  const glibc = /version `(GLIBC\w*_[\d.]+)' not found/.exec(message)?.[1];
  if (code === 'ERR_MODULE_NOT_FOUND' && /package 'webgpu'/.test(message)) {
    return 'the package "webgpu" is not installed; run "npm install webgpu", or use --backend cpu';
  }
  if (/dawn\.node/.test(first) && /cannot find|no such file|could not locate/i.test(first)) {
    return `the package "webgpu" has no build for ${platform}, or its files are incomplete; install it again, or use --backend cpu`;
  }
  if (library !== undefined) {
    return `the package "webgpu" needs the library ${library}, which is not installed; install it, or use --backend cpu`;
  }
  if (glibc !== undefined) {
    return `the package "webgpu" needs ${glibc}, and the C library of this system is older; use a newer system, or --backend cpu`;
  }
  return `the package "webgpu" does not load on ${platform} (${first}); use --backend cpu`;
}

async function loadDawn(): Promise<Dawn> {
  try {
    const webgpu = await import('webgpu');
    Object.assign(globalThis, webgpu.globals);
    return webgpu;
  } catch (cause) {
    throw new AdapterError('webgpu', loadProblem(cause), cause);
  }
}

/** No adapter has this name, so that Dawn refuses it and names those that it has. */
const nobody = 'no adapter has this name';

/** The adapters that Dawn accepts, in its own order. Throws `AdapterError` where the package does not load. */
export async function listAdapters(): Promise<readonly ListedAdapter[]> {
  const webgpu = await loadDawn();
  if (isLoaderMissing()) return [];
  let answer = '';
  try {
    await instanceWith(webgpu, [`adapter=${nobody}`]).requestAdapter();
  } catch (error) {
    answer = (error as Error).message;
  }
  const lines = answer.matchAll(/^ \* backend: '([^']*)', name: '(.*)'$/gm);
  return [...lines].map(([, api, name]) => ({ api: api!, name: name! }));
}

/**
 * The adapter with this number in the list, which is not empty, or the only one whose name contains the text in any case.
 * Throws `AdapterError` when there is none, or when several match.
 */
export function chooseAdapter(adapters: readonly ListedAdapter[], asked: string): ListedAdapter {
  const listed = adapters.map(({ api, name }, i) => `${i}: ${name} (${api})`).join('; ');
  const refuse = (problem: string): never => {
    throw new AdapterError('--adapter', `${problem}; this machine has ${listed}`);
  };
  if (/^\d+$/.test(asked)) {
    const chosen = adapters[Number(asked)] ?? refuse(`expected the number of an adapter, got ${asked}`);
    if (adapters.find(({ api, name }) => api === chosen.api && name.includes(chosen.name)) === chosen) return chosen;
    return refuse(`Dawn selects adapters by name, and cannot tell number ${asked} from one before it`);
  }
  const wanted = asked.trim().toLowerCase();
  const matches = adapters.filter(({ name }) => wanted !== '' && name.toLowerCase().includes(wanted));
  const names = adapters.map(({ name }) => name);
  if (matches.length === 0) return refuse(unknownName('adapter', asked, names));
  // The same device may be there once for each API.
  if (new Set(matches.map(({ name }) => name)).size > 1) {
    return refuse(`expected the name of one adapter, got "${asked}", which is in several names`);
  }
  return matches[0]!;
}

/** Returns null when there is no adapter. Timestamps are asked for unquantised, so that short dispatches can be timed. */
export async function findAdapter({
  adapter: asked = null,
  nothingRuns = false,
}: DeviceOptions = {}): Promise<FoundAdapter | null> {
  const webgpu = await loadDawn();
  const flags = ['disable-dawn-features=timestamp_quantization'];
  if (nothingRuns) flags.unshift('backend=null');
  else if (isLoaderMissing()) return null;
  if (asked !== null) {
    const adapters = await listAdapters();
    // Why there is none says more than that the one asked for is not among them.
    if (adapters.length === 0) return null;
    const { api, name } = chooseAdapter(adapters, asked);
    flags.unshift(`backend=${api}`, `adapter=${name}`);
  }
  const adapter = await instanceWith(webgpu, flags).requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return null;
  return { adapter, report: reportOf(adapter) };
}

/** Opens a device. Throws `AdapterError` when there is no adapter. */
export function openDevice({ limits = 'largest', explain = true, ...options }: DeviceOptions = {}): Promise<GpuDevice> {
  return openGpuDevice(async () => {
    const found = await findAdapter(options);
    if (found) return found.adapter;
    const why = explain ? `: ${await whyNoAdapter()}` : '';
    const advice = 'install a Vulkan driver ("r2po doctor" says how) or use --backend cpu';
    throw new AdapterError('webgpu', `expected a WebGPU adapter, found none${why}; ${advice}`);
  }, limits);
}
