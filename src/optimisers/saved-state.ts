/** The state of an optimiser as JSON and back, to the last bit: JSON alone has no -0, no NaN and no infinity. */
import { UsageError } from '../base/errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A state before it is written: numbers and vectors by their names. */
export type State = { readonly [key: string]: StateValue };
export type StateValue = null | boolean | number | string | Float64Array | readonly StateValue[] | State;

const specials: Readonly<Record<string, number>> = {
  '-0': -0,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function numberToJson(value: number): Json {
  if (Object.is(value, -0)) return { number: '-0' };
  return Number.isFinite(value) ? value : { number: String(value) };
}

/** A vector becomes `{ "vector": [...] }`, a number that JSON lacks `{ "number": "NaN" }`. */
export function stateToJson(value: StateValue): Json {
  if (typeof value === 'number') return numberToJson(value);
  if (value instanceof Float64Array) return { vector: Array.from(value, numberToJson) };
  if (Array.isArray(value)) return value.map((entry: StateValue) => stateToJson(entry));
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, stateToJson(entry)]));
}

function numberFromJson(json: Json): number {
  if (typeof json === 'number') return json;
  const value = isObject(json) ? specials[String(json.number)] : undefined;
  if (value === undefined) throw new UsageError('optimiser state', `expected a number, got ${JSON.stringify(json)}`);
  return value;
}

function isObject(json: Json): json is { readonly [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** The inverse of `stateToJson`. */
export function stateFromJson(json: Json): StateValue {
  if (Array.isArray(json)) return json.map((entry: Json) => stateFromJson(entry));
  if (!isObject(json)) return json as StateValue;
  const keys = Object.keys(json);
  if (keys.length === 1 && Array.isArray(json.vector)) return Float64Array.from(json.vector, numberFromJson);
  if (keys.length === 1 && typeof json.number === 'string') return numberFromJson(json);
  return Object.fromEntries(Object.entries(json).map(([key, entry]) => [key, stateFromJson(entry)]));
}

/** Reads the fields of a state. Throws a usage error that names the field that is missing or of another type. */
export class StateReader {
  readonly #state: State;

  constructor(state: StateValue) {
    if (typeof state !== 'object' || state === null || Array.isArray(state) || state instanceof Float64Array) {
      throw new UsageError('optimiser state', `expected an object, got ${JSON.stringify(state)}`);
    }
    this.#state = state as State;
  }

  #wrong(key: string, expected: string): never {
    const got = JSON.stringify(this.#state[key]) ?? 'nothing';
    throw new UsageError('optimiser state', `expected ${expected} under "${key}", got ${got.slice(0, 80)}`);
  }

  number(key: string): number {
    const value = this.#state[key];
    return typeof value === 'number' ? value : this.#wrong(key, 'a number');
  }

  text(key: string): string {
    const value = this.#state[key];
    return typeof value === 'string' ? value : this.#wrong(key, 'a text');
  }

  vector(key: string, length?: number): Float64Array {
    const value = this.#state[key];
    if (!(value instanceof Float64Array) || (length !== undefined && value.length !== length)) {
      return this.#wrong(key, length === undefined ? 'a vector' : `a vector of ${length} numbers`);
    }
    return value.slice();
  }

  /** null where the state holds null */
  vectorOrNull(key: string, length?: number): Float64Array | null {
    return this.#state[key] === null ? null : this.vector(key, length);
  }

  vectors(key: string, length?: number): Float64Array[] {
    const value = this.#state[key];
    if (!Array.isArray(value)) return this.#wrong(key, 'a list of vectors');
    return value.map((entry: StateValue) =>
      entry instanceof Float64Array && (length === undefined || entry.length === length)
        ? entry.slice()
        : this.#wrong(key, 'a list of vectors'),
    );
  }

  inner(key: string): StateReader {
    return new StateReader(this.#state[key] ?? null);
  }

  innerOrNull(key: string): StateReader | null {
    return this.#state[key] === null ? null : this.inner(key);
  }
}
