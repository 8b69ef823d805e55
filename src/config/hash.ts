/** The hash that identifies a configuration in run folders. */
import { createHash } from 'node:crypto';
import type { Config } from './schema.ts';

/** JSON with the keys of every object in alphabetical order. */
function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const record = value as Record<string, unknown>;
  const keys = Object.keys(record).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${stableJson(record[key])}`).join(',')}}`;
}

/**
 * First 12 hexadecimal digits of the SHA-256 of the resolved configuration. Every key counts, including those that
 * cannot change a result (`budget`, timeouts). The order of keys, comments, and explicit defaults do not count.
 */
export function configHash(config: Config): string {
  return hashOf(config);
}

/** The same of any plain data. */
export function hashOf(config: object): string {
  return createHash('sha256').update(stableJson(config)).digest('hex').slice(0, 12);
}
