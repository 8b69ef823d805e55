/** The name of a model in this process: `gguf:PATH[#ctx=8192&gpu=auto&threads=1]`. */
import { knownName, UsageError } from '../../base/errors.ts';

export const ggufForm = 'gguf:<file>[#ctx=8192&gpu=auto&threads=1]';

const gpuChoices = ['auto', 'false', 'metal', 'cuda', 'vulkan'] as const;
export type GpuChoice = (typeof gpuChoices)[number];

export interface GgufName {
  readonly path: string;
  /** context size: prompt plus reply, tokens; null: `defaultContext`, or the model's own size if that is smaller */
  readonly ctx: number | null;
  /** device that evaluates the model; `auto`: a GPU if available */
  readonly gpu: GpuChoice;
  readonly threads: number;
}

/** Two of these, for search and critic, take 200 MB to 2 GB; runs with longer prompts are warned at their start. */
export const defaultContext = 8192;
/**
 * llama.cpp's threads wait for each other in a busy loop. On a shared processor each thread burns its time slices
 * waiting for one that is not scheduled: two threads on two busy cores were 20 times slower than one.
 */
const defaultThreads = 1;

const options = ['ctx', 'gpu', 'threads'] as const;
const minContext = 256;
const maxContext = 1 << 24;
const maxThreads = 1024;

function readWhole(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError('model', `expected ${name} as a whole number in ${min} ... ${max}, got "${text}"; correct it`);
}

/** The whole name, as a configuration has it. */
export function ggufName({ path, ctx, gpu, threads }: GgufName): string {
  return `gguf:${path}#${ctx === null ? '' : `ctx=${ctx}&`}gpu=${gpu}&threads=${threads}`;
}

/** `text`: what follows `gguf:`. A `#` is part of the path unless what follows it are options. */
export function readGgufName(text: string): GgufName {
  const hash = text.lastIndexOf('#');
  const hasOptions = hash >= 0 && /^[^/\\]*$/.test(text.slice(hash + 1)) && !/\.gguf$/i.test(text);
  const path = hasOptions ? text.slice(0, hash) : text;
  if (path.trim() === '') throw new UsageError('model', `expected ${ggufForm}, got no file; add its path`);
  const given = new Map<string, string>();
  const parts = hasOptions && hash + 1 < text.length ? text.slice(hash + 1).split('&') : [];
  for (const part of parts) {
    const equals = part.indexOf('=');
    const kind = `option of ${ggufForm.slice(0, ggufForm.indexOf('['))}`;
    const name = knownName('model', kind, equals < 0 ? part : part.slice(0, equals), options);
    if (equals < 0) throw new UsageError('model', `expected ${name}=VALUE behind the #, got "${part}"; add the value`);
    if (given.has(name)) throw new UsageError('model', `expected ${name} once, got it twice; remove one`);
    given.set(name, part.slice(equals + 1));
  }
  const [ctx, gpu, threads] = options.map((name) => given.get(name));
  return {
    path,
    ctx: ctx === undefined ? null : readWhole('ctx', ctx, minContext, maxContext),
    gpu: gpu === undefined ? 'auto' : knownName('model', 'value of gpu', gpu, gpuChoices, '; correct it'),
    threads: threads === undefined ? defaultThreads : readWhole('threads', threads, 1, maxThreads),
  };
}
