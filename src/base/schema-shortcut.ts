/**
 * A quick yes for values that a schema accepts and gives back unchanged. zod makes a new object of every value and takes most of
 * the time in which a long record is read; a value that gets no quick yes goes to zod, which decides.
 */
import type { z } from 'zod';

/** True: the schema accepts the value, and its output equals it. False: unknown. */
export type Shortcut = (value: unknown) => boolean;

type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypes['_zod']['def'];

const never: Shortcut = () => false;
const own = new WeakMap<Schema, Shortcut>();

/** States for which values a schema with a transformation gives back what it gets. */
export function unchangedWhere<S extends z.ZodType>(schema: S, shortcut: Shortcut): S {
  own.set(schema, shortcut);
  return schema;
}

/** Of a schema of JSON data; a part of another kind gets no quick yes. */
export function shortcutOf(schema: Schema): Shortcut {
  const known = own.get(schema);
  if (known) return known;
  const def = (schema as z.core.$ZodTypes)._zod.def as Def;
  switch (def.type) {
    case 'unknown':
      return (value) => value !== undefined;
    case 'boolean':
      return withoutChecks(def, (value) => typeof value === 'boolean');
    case 'string':
      return allOf((value) => typeof value === 'string', stringChecks(def));
    case 'number':
      return allOf((value) => Number.isFinite(value), numberChecks(def));
    case 'literal':
      return oneOf(def.values);
    case 'enum':
      return oneOf(Object.values(def.entries));
    case 'default':
      return shortcutOf(def.innerType);
    case 'optional': {
      const inner = shortcutOf(def.innerType);
      return (value) => value === undefined || inner(value);
    }
    case 'nullable': {
      const inner = shortcutOf(def.innerType);
      return (value) => value === null || inner(value);
    }
    case 'array': {
      const element = shortcutOf(def.element);
      return withoutChecks(def, (value) => Array.isArray(value) && value.every(element));
    }
    case 'tuple': {
      const items = def.items.map(shortcutOf);
      const fits: Shortcut = (value) =>
        Array.isArray(value) && value.length === items.length && items.every((item, i) => item(value[i]));
      return def.rest === null ? withoutChecks(def, fits) : never;
    }
    case 'record':
      return withoutChecks(def, recordShortcut(def));
    case 'union': {
      const options = def.options.map(shortcutOf);
      return (value) => options.some((option) => option(value));
    }
    case 'object':
      return withoutChecks(def, objectShortcut(def));
    default:
      return never;
  }
}

/** Null: a check that is not known here. */
type Checks = readonly Shortcut[] | null;

function allOf(kind: Shortcut, checks: Checks): Shortcut {
  if (checks === null) return never;
  if (checks.length === 0) return kind;
  return (value) => kind(value) && checks.every((check) => check(value));
}

function withoutChecks({ checks }: Pick<Def, 'checks'>, shortcut: Shortcut): Shortcut {
  return checks === undefined || checks.length === 0 ? shortcut : never;
}

function oneOf(values: readonly unknown[]): Shortcut {
  const allowed = new Set(values);
  return (value) => allowed.has(value);
}

/** The checks of a schema; a format of the schema itself is one, too. */
function checksOf(
  def: Pick<Def, 'checks'>,
  read: (check: z.core.$ZodChecks['_zod']['def']) => Shortcut | null,
): Checks {
  const found: Shortcut[] = [];
  const inside = (def.checks ?? []).map((check) => (check as z.core.$ZodChecks)._zod.def);
  for (const check of 'check' in def ? [def as never, ...inside] : inside) {
    const shortcut = read(check);
    if (shortcut === null) return null;
    found.push(shortcut);
  }
  return found;
}

/** Formats that are a pattern and nothing else. */
const patternFormats: readonly string[] = ['regex', 'datetime'];

function stringChecks(def: Pick<Def, 'checks'>): Checks {
  return checksOf(def, (check) => {
    if (check.check === 'length_equals') return (value) => (value as string).length === check.length;
    if (check.check !== 'string_format' || !patternFormats.includes(check.format)) return null;
    const { pattern } = check;
    // One with a state would answer by turns.
    if (!pattern || pattern.global || pattern.sticky) return null;
    return (value) => pattern.test(value as string);
  });
}

function numberChecks(def: Pick<Def, 'checks'>): Checks {
  return checksOf(def, (check) => {
    if (check.check === 'number_format' && check.format === 'safeint') return Number.isSafeInteger;
    if (check.check !== 'greater_than' || typeof check.value !== 'number') return null;
    const low = check.value;
    return check.inclusive ? (value) => (value as number) >= low : (value) => (value as number) > low;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function recordShortcut({ keyType, valueType }: z.core.$ZodRecordDef): Shortcut {
  const [key, inner] = [shortcutOf(keyType), shortcutOf(valueType)];
  return (value) => {
    if (!isRecord(value)) return false;
    for (const name in value) if (name === '__proto__' || !key(name) || !inner(value[name])) return false;
    return true;
  };
}

/** Of a strict object: others may drop keys. */
function objectShortcut({ shape, catchall }: z.core.$ZodObjectDef): Shortcut {
  if (catchall?._zod.def.type !== 'never') return never;
  const fields = Object.entries(shape).map(([name, schema]) => ({ name, fits: shortcutOf(schema) }));
  return (value) => {
    if (!isRecord(value)) return false;
    let there = 0;
    for (const { name, fits } of fields) {
      const inner = value[name];
      if (!fits(inner)) return false;
      if (inner !== undefined) there += 1;
    }
    // Every key is one of the fields.
    for (const _ in value) there -= 1;
    return there === 0;
  };
}
