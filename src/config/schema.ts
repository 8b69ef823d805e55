/**
 * The configuration of a run: every key with its meaning, its type, its limits and its default. The kind of the method
 * decides which sections there are; those of each kind are in `sections/`. Keys are those of the YAML files.
 */
import { z } from 'zod';
import { findMethod, findRegistered, type MethodKind } from '../methods/index.ts';
import type { PolicyOptions } from '../policies/policy.ts';
import { hybridSchemas, ownHybridSchema } from './sections/hybrid.ts';
import { llmSearchSchema } from './sections/llm-search.ts';
import { optimiserSchemas } from './sections/optimiser.ts';

/** Every schema: one for methods of language models, one for each with an optimiser beside them, one for each optimiser. */
const configSchemas: readonly z.ZodObject[] = [
  llmSearchSchema,
  ...hybridSchemas.values(),
  ...optimiserSchemas.values(),
];

/** The schema for a configuration of its method; without a known method, the one of language models, which requires one. */
export function schemaFor(raw: unknown): z.ZodObject {
  const named = typeof raw === 'object' && raw !== null && 'method' in raw ? raw.method : undefined;
  if (typeof named !== 'string') return llmSearchSchema;
  const own = findRegistered(named);
  if (own !== null) return ownHybridSchema(own) ?? llmSearchSchema;
  return hybridSchemas.get(named) ?? optimiserSchemas.get(named) ?? llmSearchSchema;
}

/** What a key is that no file sets. */
export const schemaDefaults: Readonly<Record<string, unknown>> = llmSearchSchema.partial().parse({});

type Sections<T> = { readonly [K in keyof T]: T[K] extends object ? Readonly<T[K]> : T[K] };
type Resolved<T> = Omit<Sections<T>, 'policy'> & {
  readonly policy: { readonly kind: string; readonly options: PolicyOptions };
};

/** The settings of an optimiser beside a model; each method has keys of its own. */
type HybridSection = { readonly grid: boolean } & Readonly<Record<string, unknown>>;
/**
 * A resolved configuration of a search with language models: complete, and `env` is an id or an absolute path. With
 * `optimiser` where the method has one.
 */
export type LlmConfig = Resolved<z.output<typeof llmSearchSchema>> & { readonly optimiser?: HybridSection };
type OptimiserOutput = z.output<typeof optimiserSchemas extends ReadonlyMap<string, infer S> ? S : never>;
/** The same of a search with an optimiser; its section has settings of its own. */
export type OptimiserConfig = Omit<Resolved<OptimiserOutput>, 'optimiser'> & {
  readonly optimiser: Readonly<OptimiserOutput['optimiser']> & Readonly<Record<string, unknown>>;
};

/** A resolved configuration of any kind. */
export type Config = LlmConfig | OptimiserConfig;

/** Whether the method of a configuration asks language models. */
export function asksModels(config: Config): config is LlmConfig {
  const kind: MethodKind = findMethod(config.method).kind;
  return kind === 'llm-search';
}

/** Name of the model of a configuration; `none` where none is asked. */
export function modelOf(config: Config): string {
  return asksModels(config) ? config.model : 'none';
}

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

const infosBySchema = new Map<z.ZodObject, ReadonlyMap<string, KeyInfo>>();

/** The sections and keys of one schema, by their dotted names. */
export function infosOf(schema: z.ZodObject): ReadonlyMap<string, KeyInfo> {
  const known = infosBySchema.get(schema) ?? new Map(collect(schema, '').map((info) => [info.path, info]));
  infosBySchema.set(schema, known);
  return known;
}

const keysBySchema = new Map<z.ZodObject, ReadonlySet<string>>();

/** The keys of one schema, by their dotted names. */
export function keysOf(schema: z.ZodObject): ReadonlySet<string> {
  const known = keysBySchema.get(schema) ?? new Set(infosOf(schema).keys());
  keysBySchema.set(schema, known);
  return known;
}

/** The same key of several schemas: a section has the keys of all of them. */
function joined(known: Map<string, KeyInfo>, info: KeyInfo): Map<string, KeyInfo> {
  const before = known.get(info.path);
  const keys = before?.keys && info.keys ? [...new Set([...before.keys, ...info.keys])] : (before?.keys ?? info.keys);
  return known.set(info.path, before ? { ...before, keys } : info);
}

/** Every section and every key, by dotted name; `''` is the whole configuration. */
export const knownKeys: ReadonlyMap<string, KeyInfo> = configSchemas
  .flatMap((schema) => collect(schema, ''))
  .reduce(joined, new Map<string, KeyInfo>());
