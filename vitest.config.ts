import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { shaderTextsModule, shaderTextsPath } from './scripts/shader-texts.mjs';

/** Files that take the longest, the longest first: begun last, one of them would run alone while the other core waits. */
const longFiles = [
  'checks/parity',
  'sweep/queue',
  'runs/resume',
  'rollout/webgpu/device-statistics',
  'envs/user-env',
  'interop/reference-logs',
  'bench/bench',
  'runs/shipped-runs',
  'sweep/sweep',
  'torture',
].map((name) => `/test/${name}.test.ts`);

class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longFiles.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? longFiles.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  plugins: [
    {
      name: 'shader-texts',
      load: (id) => (id.endsWith(`src/${shaderTextsPath}.ts`) ? shaderTextsModule() : null),
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/adapter-setup.ts', 'test/support/redis-setup.ts'],
    // Child processes, not threads: Dawn and the Vulkan loader read their environment when a process starts.
    pool: 'forks',
    // Vitest leaves a core to itself, which is half of a machine with two.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongFilesFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
