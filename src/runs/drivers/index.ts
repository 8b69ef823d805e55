/** Every driver, by the kind of method that it runs. */
import type { MethodKind } from '../../methods/index.ts';
import type { Driver } from './driver.ts';
import { llmSearch } from './llm-search.ts';
import { optimiserSearch } from './optimiser-search.ts';

export const drivers: Readonly<Record<MethodKind, Driver>> = {
  'llm-search': llmSearch,
  optimiser: optimiserSearch,
};
