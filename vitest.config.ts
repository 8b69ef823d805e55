import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { shaderTextsModule, shaderTextsPath } from './scripts/shader-texts.mjs';

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
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
