/** Every driver, by the kind of method that it runs. */
import type { Method } from '../../methods/method.ts';
import type { Driver } from './driver.ts';
import { llmSearch } from './llm-search.ts';

export const drivers: Readonly<Record<Method['kind'], Driver>> = { 'llm-search': llmSearch };
