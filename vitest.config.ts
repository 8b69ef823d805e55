import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/adapter-setup.ts', 'test/support/redis-setup.ts'],
    // Child processes, not threads: Dawn and the Vulkan loader read their environment when a process starts.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
