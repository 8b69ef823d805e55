/** Opens a backend by name. */
import { type ArgumentRule, aFunction, aRecord, aText, checkFields, optional, orNull } from '../../base/arguments.ts';
import { AdapterError, knownName, UsageError } from '../../base/errors.ts';
import { type ExpectedWork, type HostChoice, hostBackend } from '../auto.ts';
import { type Backend, type BackendChoice, backendChoices } from '../backend.ts';
import { openCpuBackend } from '../cpu/node/backend.ts';

/** Whether the backend may run on a WebGPU adapter. */
export function takesAdapter(choice: BackendChoice): boolean {
  return choice === 'webgpu' || choice === 'auto';
}

/** What `openBackend` takes beside a name. */
export interface BackendOptions {
  /** WebGPU adapter by name or number; null: the one that Dawn offers */
  readonly adapter?: string | null;
  /** gets which backend was chosen, and why */
  readonly note?: (text: string) => void;
  /** of a search, for which `auto` may be wasm; left out: `auto` is webgpu or cpu */
  readonly work?: ExpectedWork | null;
}

const optionRules = {
  adapter: optional(orNull(aText)),
  note: optional(aFunction),
  work: optional(orNull(aRecord)),
} satisfies Record<keyof BackendOptions, ArgumentRule>;

/** A backend, and why it is this one where it was left to `auto`. */
export interface ChosenBackend<B extends Backend = Backend> {
  readonly backend: B;
  /** null: it was asked for */
  readonly why: string | null;
}

/**
 * Opens the backend. `auto` is webgpu when a hardware adapter answers, or any that is named; else wasm for `work` that it
 * plays in at most half of the time, else cpu. `note` gets which one and why, so that a fallback is never silent. A software
 * adapter is used only when it or webgpu is asked for.
 * @throws AdapterError when webgpu or an adapter is asked for and there is none
 * @throws UsageError for an unknown name or option, when gpujs is asked for and the package is not installed, or for an
 * adapter with another backend
 */
export async function openBackend(choice: BackendChoice, options: BackendOptions = {}): Promise<Backend> {
  knownName('openBackend', 'backend', choice, backendChoices);
  checkFields('openBackend', 'options', options, optionRules);
  return (await chooseBackend(choice, options)).backend;
}

/** As `openBackend`, and says why. */
export async function chooseBackend(
  choice: BackendChoice,
  { adapter = null, note = () => {}, work = null }: BackendOptions = {},
): Promise<ChosenBackend> {
  checkAdapter(choice, adapter);
  if (choice !== 'auto') return { backend: await openNamed(choice, adapter, note), why: null };
  const hardware = await openHardware(adapter);
  const { id, why } =
    hardware.backend === null ? await hostChoice(hardware.why, work) : { id: 'webgpu', why: hardware.why };
  note(chosenNote(id, why));
  return { backend: hardware.backend ?? (await openNamed(id as 'wasm' | 'cpu', null, note)), why };
}

/** Throws a usage error for an adapter with a backend that runs on none. */
export function checkAdapter(choice: BackendChoice, adapter: string | null): void {
  if (adapter === null || takesAdapter(choice)) return;
  throw new UsageError(
    '--adapter',
    `expected the backend webgpu or auto, got ${choice}; add --backend webgpu, or leave --adapter out`,
  );
}

/** The line about what `auto` is. */
export function chosenNote(id: string, why: string): string {
  return id === 'webgpu' ? `backend: webgpu ${why}` : `backend: ${id} (${why})`;
}

/** What `auto` is without a hardware adapter. `noHardware`: why there is none. */
export async function hostChoice(noHardware: string, work: ExpectedWork | null): Promise<HostChoice> {
  const { id, why } = await compiling(hostBackend(work), work);
  return { id, why: why === '' ? noHardware : `${noHardware}; ${why}` };
}

/** cpu instead of wasm where an environment of the user has a shader that wasm does not read. */
async function compiling(choice: HostChoice, work: ExpectedWork | null): Promise<HostChoice> {
  if (choice.id === 'cpu' || !work?.env.shader) return choice;
  const { unsupportedIn } = await import('../wasm/node/backend.ts');
  const found = await unsupportedIn(work.env);
  return found === null ? choice : { id: 'cpu', why: `wasm does not read the shader: ${found}` };
}

/** Opens a backend that is named. Throws as `openBackend` does. */
export async function openNamed(
  choice: Exclude<BackendChoice, 'auto'>,
  adapter: string | null,
  note: (text: string) => void,
): Promise<Backend> {
  if (choice === 'cpu') return openCpuBackend();
  if (choice === 'wasm') {
    const { openWasmBackend } = await import('../wasm/node/backend.ts');
    return openWasmBackend();
  }
  if (choice === 'gpujs') {
    const { openGpujsBackend } = await import('../gpujs/node/open.ts');
    const backend = await openGpujsBackend();
    note(`backend: gpujs, ${backend.adapter}`);
    return backend;
  }
  const gpu = await openGpu(adapter, true);
  note(chosenNote('webgpu', gpu.why));
  return gpu.open();
}

/** What `auto` finds on this machine: a backend on a hardware adapter or on the named one, or why there is none. */
export async function openHardware(
  adapter: string | null,
): Promise<{ readonly backend: Backend | null; readonly why: string }> {
  const isRequired = adapter !== null;
  try {
    const gpu = await openGpu(adapter, isRequired);
    if (isRequired || !gpu.isSoftware) return { backend: await gpu.open(), why: gpu.why };
    gpu.close();
    return { backend: null, why: `the only WebGPU adapter is a software one: ${gpu.name}` };
  } catch (error) {
    if (isRequired || !(error instanceof AdapterError)) throw error;
    return { backend: null, why: 'no WebGPU adapter' };
  }
}

async function openGpu(adapter: string | null, explain: boolean) {
  // Loaded here: the cpu backend also works on platforms without Dawn.
  const { openWebGpuBackend } = await import('../webgpu/node/backend.ts');
  const { openDevice } = await import('../webgpu/node/dawn.ts');
  const gpu = await openDevice({ adapter, explain });
  const { name, software: isSoftware } = gpu.adapter;
  const why = `on ${name}${isSoftware ? ' (software: right, but slow)' : ''}`;
  return { name, isSoftware, why, open: () => openWebGpuBackend({ gpu }), close: () => gpu.close() };
}
