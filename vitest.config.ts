import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { shaderTextsModule, shaderTextsPath } from './scripts/shader-texts.mjs';

/** Files that take the longest, the longest first: begun last, one of them would run alone while the other core waits. */
const longFiles = [
  'checks/parity',
  'sweep/queue',
  'rollout/webgpu/device-statistics',
  'runs/shipped-runs',
  'runs/resume',
  'bench/bench',
  'torture',
  'envs/user-env',
  'sweep/sweep',
  'engine',
  'linear-texts',
  'view/run-view',
].map((name) => `/test/${name}.test.ts`);

/** The long files first, and last those that share a process: they are short, and fill both cores to the end. */
class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      if (project.name === 'shared process') return longFiles.length + 1;
      const at = longFiles.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? longFiles.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * Words of a test file that needs a process of its own: it changes what there is once in a process (its environment, its
 * modules, its globals), measures its memory or its time, or opens a device or a browser.
 */
const needsOwnProcess =
  /\bvi\.(mock|doMock|spyOn|stub|useFake)|process\.(env|chdir|memoryUsage|cpuUsage|on|once|stdin)\b|globalThis|heapUse|setFlagsFromString|support\/(gpu|browser|redis|queue)\.ts|openDevice|openWebGpuBackend|openGpujsBackend/;

/** All others share one: a fork of its own costs each file about a second, for the modules that it loads again. */
const sharing = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .filter((path) => !needsOwnProcess.test(readFileSync(join(root, path), 'utf8')))
  .filter((path) => !longFiles.some((name) => path.endsWith(name.slice(1))))
  .map((path) => path.replaceAll('\\', '/'));

export default defineConfig({
  plugins: [
    {
      name: 'shader-texts',
      load: (id) => (id.endsWith(`src/${shaderTextsPath}.ts`) ? shaderTextsModule() : null),
    },
  ],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'own process',
          include: ['test/**/*.test.ts'],
          exclude: sharing,
          setupFiles: ['test/support/patient-dawn.ts'],
        },
      },
      { extends: true, test: { name: 'shared process', include: sharing, isolate: false } },
    ],
    globalSetup: ['adapter', 'redis', 'ram-disk'].map((name) => `test/support/${name}-setup.ts`),
    // Child processes, not threads: Dawn and the Vulkan loader read their environment when a process starts.
    pool: 'forks',
    // Vitest leaves a core to itself, which is half of a machine with two.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongFilesFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A page that follows a run may need a second while both cores are busy.
    expect: { poll: { timeout: 20_000 } },
  },
});
