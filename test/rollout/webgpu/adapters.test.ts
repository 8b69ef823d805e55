/** Adapters are chosen by name or number, and what is missing is named. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseAdapter, findAdapter, listAdapters, loadProblem } from '../../../src/rollout/webgpu/node/dawn.ts';
import { runCli } from '../../support/cli.ts';
import { describeGpu, hasAdapter } from '../../support/gpu.ts';

const folder = mkdtempSync(join(tmpdir(), 'r2po-drivers-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('--adapter', () => {
  const machine = [
    { api: 'vulkan', name: 'NVIDIA GeForce RTX 4090' },
    { api: 'vulkan', name: 'Intel(R) UHD Graphics 770' },
    { api: 'd3d12', name: 'NVIDIA GeForce RTX 4090' },
    { api: 'vulkan', name: 'NVIDIA GeForce RTX 4090' },
  ];

  it('takes part of a name in any case, and the number of the list', () => {
    expect(chooseAdapter(machine, 'geforce')).toBe(machine[0]);
    expect(chooseAdapter(machine, 'uhd')).toBe(machine[1]);
    expect(chooseAdapter(machine, '1')).toBe(machine[1]);
    expect(chooseAdapter(machine, '2')).toBe(machine[2]);
  });

  it.each([
    ['4', 'expected the number of an adapter, got 4; this machine has 0: NVIDIA GeForce RTX 4090 (vulkan); 1: Intel'],
    ['3', 'Dawn selects adapters by name, and cannot tell number 3 from one before it'],
    ['radeon', 'radeon'],
    ['', 'this machine has 0: NVIDIA'],
    ['i', 'expected the name of one adapter, got "i", which is in several names'],
  ])('refuses "%s" and lists what the machine has', (asked, problem) => {
    expect(() => chooseAdapter(machine, asked)).toThrow(problem);
  });
});

describeGpu('the adapters of this machine', () => {
  it('can each be opened by name', async () => {
    const listed = await listAdapters();
    expect(listed.length).toBeGreaterThan(0);
    const found = await findAdapter({ adapter: listed[0]!.name.slice(1, 8).toUpperCase() });
    expect(found?.report.name).toBe((await findAdapter({ adapter: '0' }))?.report.name);
    await expect(findAdapter({ adapter: '99' })).rejects.toThrow(listed[0]!.name);
  });
});

describe('a package that does not load', () => {
  const error = (code: string, message: string) => Object.assign(new Error(message), { code });

  it.each([
    [error('ERR_MODULE_NOT_FOUND', "Cannot find package 'webgpu' imported from /x/dawn.js"), 'is not installed'],
    [
      error('MODULE_NOT_FOUND', "Cannot find module '/x/dist/linux-x64/dawn.node'"),
      `has no build for ${process.platform}`,
    ],
    [
      error('ERR_DLOPEN_FAILED', 'libX11-xcb.so.1: cannot open shared object file: No such file'),
      'needs the library libX11-xcb.so.1',
    ],
    [
      error('ERR_DLOPEN_FAILED', "/lib/libc.so.6: version `GLIBC_2.38' not found (required by /x/dawn.node)"),
      'needs GLIBC_2.38',
    ],
    [error('ERR_DLOPEN_FAILED', 'invalid ELF header\nmore'), '(invalid ELF header)'],
  ])('is explained: %s', (cause, words) => {
    expect(loadProblem(cause)).toContain(words);
    expect(loadProblem(cause)).toContain('--backend cpu');
  });
});

describe.skipIf(process.platform !== 'linux' || !hasAdapter)('without an adapter', () => {
  const input = JSON.stringify([{ state: [0, 0, 0, 0], action: [1] }]);
  const play = (env: Record<string, string | undefined>, ...options: string[]) =>
    runCli(['probe', '--env', 'CartPole-v1', '--in', '-', '--backend', 'webgpu', ...options], { env, input });

  it.each([[[]], [['--adapter', 'llvmpipe']]])(
    'a driver that does not load is named, with its reason: %j',
    async (options) => {
      const manifest = join(folder, 'broken.json');
      const library = join(folder, 'no-such-driver.so');
      writeFileSync(
        manifest,
        JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3.0' } }),
      );
      const none = { VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: undefined };
      const result = await play(none, ...options);
      expect(result.code).toBe(3);
      expect(result.stderr).toContain(`Vulkan drivers are registered (${manifest}), and Dawn accepts none of them`);
      expect(result.stderr).toContain('no-such-driver.so: cannot open shared object file');
    },
  );
});
