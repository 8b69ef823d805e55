/** The machine of the measurement; missing parts are null. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { promisify } from 'node:util';
import { python } from './peers.mjs';

const packages = ['numpy', 'gymnasium', 'mujoco', 'jax', 'jaxlib'];
const askVersions = `
import importlib.metadata, json, platform
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({"python": platform.python_version(), **{name: version(name) for name in ${JSON.stringify(packages)}}}))
`;

async function firstMatch(pattern, program, ...args) {
  try {
    const { stdout } = await promisify(execFile)(program, args);
    return stdout.match(pattern)?.[1].trim() ?? null;
  } catch {
    return null;
  }
}

export async function describeMachine() {
  const [versions, driver, gpu, nvcc, cc] = await Promise.all([
    firstMatch(/^(\{.*\})$/m, python, '-c', askVersions),
    firstMatch(/(.+)/, 'nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader'),
    firstMatch(/(.+)/, 'nvidia-smi', '--query-gpu=name', '--format=csv,noheader'),
    firstMatch(/release ([\d.]+)/, 'nvcc', '--version'),
    firstMatch(/(.+)/, process.env.CC || 'cc', '--version'),
  ]);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    gpu,
    driver,
    node: process.version,
    ...(versions === null ? { python: null } : JSON.parse(versions)),
    nvcc,
    cc,
  };
}
