/** The Vulkan loader and drivers of this machine, and why Dawn finds no adapter among them. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const loaderName = 'libvulkan.so.1';
const libraryFolders = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];

function paths(variable: string): string[] {
  return (process.env[variable] ?? '').split(delimiter).filter((path) => path !== '');
}

/**
 * Whether the Vulkan loader is certainly missing, so that Dawn need not be asked: it would print its own warnings. False
 * where this cannot be known.
 */
export function isLoaderMissing(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    // The cache of the dynamic linker contains the names of all libraries in the system's folders.
    if (readFileSync('/etc/ld.so.cache', 'latin1').includes(loaderName)) return false;
  } catch {
    return false;
  }
  return ![...paths('LD_LIBRARY_PATH'), ...libraryFolders].some((folder) => existsSync(join(folder, loaderName)));
}

/** Manifests of Vulkan drivers, found as the loader on Linux finds them. */
function driverManifests(): readonly string[] {
  const named = paths('VK_DRIVER_FILES').length > 0 ? paths('VK_DRIVER_FILES') : paths('VK_ICD_FILENAMES');
  if (named.length > 0) return named;
  const orElse = (variable: string, ...folders: string[]) => (paths(variable).length > 0 ? paths(variable) : folders);
  const folders = [
    ...orElse('XDG_CONFIG_HOME', join(homedir(), '.config')),
    ...orElse('XDG_CONFIG_DIRS', '/etc/xdg'),
    '/etc',
    ...orElse('XDG_DATA_HOME', join(homedir(), '.local/share')),
    ...orElse('XDG_DATA_DIRS', '/usr/local/share', '/usr/share'),
  ].map((folder) => join(folder, 'vulkan', 'icd.d'));
  return [...new Set(folders)].filter(existsSync).flatMap((folder) => readdirSync(folder).map((f) => join(folder, f)));
}

/** Asks for an adapter as this process did, and nothing else. */
const ask = `
const { create, globals } = await import(process.argv[1]);
Object.assign(globalThis, globals);
await create(['verbose=1']).requestAdapter({ powerPreference: 'high-performance' });
process.exit(0);
`;

/** What the Vulkan loader and Dawn print when they find no adapter; only a process of its own can read that. */
async function refusals(): Promise<string[]> {
  const dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', ask, dawn], {
    encoding: 'utf8',
    timeout: 30_000,
  }).catch((error: { stderr?: string }) => ({ stderr: error.stderr ?? '' }));
  const lines = stderr.split('\n').flatMap((line) => /^(?:Warning|Error): (.+)$/.exec(line)?.[1] ?? []);
  // They follow from the others.
  const consequences = /Found no drivers|VK_ERROR_INCOMPATIBLE_DRIVER/;
  return [...new Set(lines)].filter((line) => !consequences.test(line));
}

/** Why Dawn offers no adapter, as far as it can be known; one line without a full stop. */
export async function whyNoAdapter(): Promise<string> {
  if (process.platform !== 'linux') return 'Dawn accepts no driver of this machine';
  if (isLoaderMissing()) return `the Vulkan loader (${loaderName}) is not installed`;
  const manifests = driverManifests();
  if (manifests.length === 0) return 'no Vulkan driver is registered';
  const reasons = await refusals();
  const drivers = `Vulkan drivers are registered (${manifests.join(', ')}), and Dawn accepts none of them`;
  return reasons.length === 0 ? drivers : `${drivers}: ${reasons.join('; ')}`;
}

/** How to install a driver on this platform. */
export function driverAdvice(): string {
  if (process.platform !== 'linux') return "install the GPU maker's current driver";
  return (
    "for a GPU on Linux: install its Vulkan driver (NVIDIA: the vendor's driver package; AMD, Intel: " +
    'mesa-vulkan-drivers) and the loader (libvulkan1)'
  );
}
