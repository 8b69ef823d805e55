/** Kinds of model servers, recognised by their answers, and the reply forms that each supports. */
import type { ReplyForm } from '../reply/shape.ts';
import { objectOf } from './failure.ts';

export type ServerKind = 'unknown' | 'llama.cpp' | 'vllm';

/**
 * Strongest first. llama.cpp ignores number bounds in a schema, so it gets the grammar; vLLM compiles a regular
 * expression faster than a grammar. Most others support a schema, and refuse it otherwise.
 */
export const formsOf: Readonly<Record<ServerKind, readonly ReplyForm[]>> = {
  'llama.cpp': ['grammar', 'json', 'begun', 'lines'],
  vllm: ['regex', 'grammar', 'json', 'begun', 'lines'],
  unknown: ['json', 'lines'],
};

/** The kind of server that sent an answer; null: unknown. */
export function kindOfAnswer(headers: Headers, payload: Readonly<Record<string, unknown>>): ServerKind | null {
  if (/llama\.cpp/i.test(headers.get('server') ?? '')) return 'llama.cpp';
  const { timings, system_fingerprint: fingerprint } = payload;
  if (objectOf(timings).predicted_n !== undefined || objectOf(timings).prompt_n !== undefined) return 'llama.cpp';
  // Its versions are build numbers.
  if (typeof fingerprint === 'string' && /^b\d+-[0-9a-f]{6,}$/.test(fingerprint)) return 'llama.cpp';
  if ('prompt_logprobs' in payload || 'kv_transfer_params' in payload || 'prompt_token_ids' in payload) return 'vllm';
  return null;
}

/** Whether this version of vLLM supports `structured_outputs`; older ones use `guided_regex` and `guided_grammar`. */
export function hasStructuredOutputs(version: string | null): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return major === undefined || Number(major) > 0 || Number(minor) >= 11;
}
