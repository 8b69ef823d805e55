/**
 * The configuration of a run: every key with its meaning, its type, its limits and its default. The kind of the method
 * decides which sections there are; those of each kind are in `sections/`. Keys are those of the YAML files.
 */
import { z } from 'zod';
import { methods } from '../methods/index.ts';
import type { Method } from '../methods/method.ts';
import type { PolicyOptions } from '../policies/policy.ts';
import { llmSearchSchema } from './sections/llm-search.ts';

/** By the kind of the method. */
export const configSchemas = { 'llm-search': llmSearchSchema } as const satisfies Record<Method['kind'], z.ZodObject>;

/** The schema for a configuration of its method's kind; without a known method, a schema that requires one. */
export function schemaFor(raw: unknown): (typeof configSchemas)[Method['kind']] {
  const named = typeof raw === 'object' && raw !== null && 'method' in raw ? raw.method : undefined;
  return configSchemas[methods.find(({ id }) => id === named)?.kind ?? 'llm-search'];
}

/** What a key is that no file sets. */
export const schemaDefaults: Readonly<Record<string, unknown>> = llmSearchSchema.partial().parse({});

type Sections<T> = { readonly [K in keyof T]: T[K] extends object ? Readonly<T[K]> : T[K] };

/** A resolved configuration of a kind: complete, and `env` is an id or an absolute path. */
export type ConfigOf<Kind extends Method['kind']> = Omit<Sections<z.output<(typeof configSchemas)[Kind]>>, 'policy'> & {
  readonly policy: { readonly kind: string; readonly options: PolicyOptions };
};

/** A resolved configuration of any kind. */
export type Config = { [Kind in Method['kind']]: ConfigOf<Kind> }[Method['kind']];

/** One entry of the schema, by its dotted name. */
export interface KeyInfo {
  readonly path: string;
  readonly description: string;
  /** keys of a section; null for a value */
  readonly keys: readonly string[] | null;
  /** true for `policy.options`, whose inner keys belong to the policy kind */
  readonly open: boolean;
  /** true for a list */
  readonly list: boolean;
}

function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodOptional
  ) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

function collect(schema: z.ZodType, path: string): KeyInfo[] {
  const inner = unwrap(schema);
  const shape = inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : null;
  const info: KeyInfo = {
    path,
    description: schema.description ?? inner.description ?? '',
    keys: shape && Object.keys(shape),
    open: inner instanceof z.ZodRecord,
    list: inner instanceof z.ZodArray,
  };
  const prefix = path === '' ? '' : `${path}.`;
  return [info, ...Object.entries(shape ?? {}).flatMap(([key, child]) => collect(child, prefix + key))];
}

/** Every section and every key, by dotted name; `''` is the whole configuration. */
export const knownKeys: ReadonlyMap<string, KeyInfo> = new Map(
  Object.values(configSchemas)
    .flatMap((schema) => collect(schema, ''))
    .map((info) => [info.path, info]),
);
