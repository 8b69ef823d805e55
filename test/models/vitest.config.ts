/** Real models: slow, and with a download, so no part of `npm test`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/models/*.check.ts'],
    pool: 'forks',
    // One model at a time: each would take the threads of the other.
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
  },
});
