/** GPU tests: the same file everywhere, skipped visibly where `adapter-setup.ts` found no adapter. */
import { describe } from 'vitest';

export const hasAdapter = Boolean(process.env.R2PO_TEST_ADAPTER);
export const describeGpu = describe.skipIf(!hasAdapter);
