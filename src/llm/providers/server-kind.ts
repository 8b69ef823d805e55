/** Servers of models that are told by what they answer, and what each of them can hold a reply to. */
import type { ReplyForm } from '../reply/shape.ts';
import { objectOf } from './failure.ts';

export type ServerKind = 'unknown' | 'llama.cpp' | 'vllm';

/**
 * Strongest first. llama.cpp ignores the bounds of numbers in a schema, so it gets the grammar; an expression is compiled
 * sooner than a grammar by vLLM. Most others know a schema; they say so when they do not.
 */
export const formsOf: Readonly<Record<ServerKind, readonly ReplyForm[]>> = {
  'llama.cpp': ['grammar', 'json', 'begun', 'lines'],
  vllm: ['regex', 'grammar', 'json', 'begun', 'lines'],
  unknown: ['json', 'lines'],
};

/** What an answer shows of its server; null: nothing. */
export function kindOfAnswer(headers: Headers, payload: Readonly<Record<string, unknown>>): ServerKind | null {
  if (/llama\.cpp/i.test(headers.get('server') ?? '')) return 'llama.cpp';
  const { timings, system_fingerprint: fingerprint } = payload;
  if (objectOf(timings).predicted_n !== undefined || objectOf(timings).prompt_n !== undefined) return 'llama.cpp';
  // Its versions are numbers of builds.
  if (typeof fingerprint === 'string' && /^b\d+-[0-9a-f]{6,}$/.test(fingerprint)) return 'llama.cpp';
  if ('prompt_logprobs' in payload || 'kv_transfer_params' in payload || 'prompt_token_ids' in payload) return 'vllm';
  return null;
}

/** Whether this version of vLLM takes `structured_outputs`; older ones have `guided_regex` and `guided_grammar`. */
export function hasStructuredOutputs(version: string | null): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return major === undefined || Number(major) > 0 || Number(minor) >= 11;
}
