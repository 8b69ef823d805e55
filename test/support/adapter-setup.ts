/**
 * Finds the WebGPU adapter that the GPU tests run on, before any worker process starts: the machine's own, or a
 * software one (SwiftShader, from the development dependency that ships it). The result is left in
 * R2PO_TEST_ADAPTER; empty means that the GPU tests are skipped. R2PO_REQUIRE_GPU=1 turns that into a failure, and
 * R2PO_TEST_SOFTWARE=1 takes the software adapter even where there is a GPU.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { shippedSwiftShader } from './shipped.ts';

const ask = `
import { create, globals } from 'webgpu';
Object.assign(globalThis, globals);
const adapter = await create([]).requestAdapter();
if (adapter) console.log([adapter.info.vendor, adapter.info.architecture, adapter.info.description].join(' '));
process.exit(0);
`;

/** Name of the adapter that a fresh process finds with this environment; empty when there is none. */
function adapterOf(environment: NodeJS.ProcessEnv): string {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', ask], {
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return child.status === 0 ? child.stdout.trim() : '';
}

/** SwiftShader and a Vulkan loader beside it; null on platforms for which none is shipped. */
function softwareAdapter(): NodeJS.ProcessEnv | null {
  const folder = shippedSwiftShader();
  if (folder === null) return null;
  return {
    VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter((p) => p).join(':'),
  };
}

export default function setup(): void {
  // Each of the projects of vitest.config.ts calls it.
  if (process.env.R2PO_TEST_ADAPTER !== undefined) return;
  let name = process.env.R2PO_TEST_SOFTWARE === '1' ? '' : adapterOf(process.env);
  if (!name) {
    const software = softwareAdapter();
    if (software) {
      name = adapterOf({ ...process.env, ...software });
      if (name) Object.assign(process.env, software);
    }
  }
  process.env.R2PO_TEST_ADAPTER = name;
  if (!name && process.env.R2PO_REQUIRE_GPU === '1') {
    throw new Error('R2PO_REQUIRE_GPU=1, and there is no WebGPU adapter, not even a software one');
  }
  console.log(name ? `GPU tests run on: ${name}` : 'GPU tests are SKIPPED: no WebGPU adapter, not even a software one');
}
