/**
 * Errors that a user can act on. Every message reads `[unit] expected X, got Y; do Z`, and every error carries the
 * exit code that the command line ends with.
 */

import { shown } from './shown.ts';

/** Process exit codes; part of the public contract. */
export const exitCodes = {
  /** the command did what it was asked */
  done: 0,
  /** it ran and failed */
  failed: 1,
  /** wrong usage, configuration or input file */
  usage: 2,
  /** WebGPU or an adapter was asked for, and there is none */
  noAdapter: 3,
  /** model endpoint unreachable or refused, or no usable replies; the run can be resumed */
  model: 4,
  /** a budget is used up; the run can be resumed */
  budget: 5,
  /** a comparison differs */
  differs: 6,
  /** some runs of a sweep are not finished */
  someRunsFailed: 7,
  /** SIGINT; the run can be resumed */
  interrupted: 130,
  /** SIGTERM or SIGHUP; the run can be resumed */
  terminated: 143,
} as const;
/** one of `exitCodes` */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error that a user can act on: `[unit] expected X, got Y; do Z`. */
export class R2poError extends Error {
  /** command, option, file or part that the message begins with */
  readonly unit: string;
  /** the message without its `[unit]`, to be quoted in the message of another unit */
  readonly detail: string;
  /** exit code that the command line ends with */
  readonly exitCode: ExitCode;

  constructor(unit: string, message: string, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(`[${unit}] ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.unit = unit;
    this.detail = message;
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** Wrong usage, configuration or input file. */
export class UsageError extends R2poError {
  constructor(unit: string, message: string, cause?: unknown) {
    super(unit, message, { exitCode: exitCodes.usage, cause });
  }
}

/** WebGPU was requested, but there is no usable adapter. */
export class AdapterError extends R2poError {
  constructor(unit: string, message: string, cause?: unknown) {
    super(unit, message, { exitCode: exitCodes.noAdapter, cause });
  }
}

/** The device was lost or failed; this process can no longer use it. */
export class DeviceError extends R2poError {}

/** A backend cannot compile a program, which is wrong. */
export class CompileError extends R2poError {}

/** A program may be right, but contains what the backend does not read. */
export class UnsupportedError extends CompileError {}

/** The model endpoint is unreachable, refuses the request, or sends no valid reply. The run stays resumable. */
export class ModelError extends R2poError {
  /** the wait that the endpoint asks for, when it is too long; else null */
  readonly retryAfterSeconds: number | null;

  constructor(unit: string, message: string, options: { cause?: unknown; retryAfterSeconds?: number | null } = {}) {
    super(unit, message, { exitCode: exitCodes.model, cause: options.cause });
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** A comparison differs: parity out of tolerance, or a replay that differs from the recorded run. */
export class DiffersError extends R2poError {
  constructor(unit: string, message: string, cause?: unknown) {
    super(unit, message, { exitCode: exitCodes.differs, cause });
  }
}

/** The user stopped the run; its state is saved. */
export class InterruptedError extends R2poError {
  constructor(unit: string, message: string, signal: 'SIGINT' | 'SIGTERM' = 'SIGINT') {
    super(unit, message, { exitCode: signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated });
  }
}

/** What is wrong, to be quoted in the message of another unit. */
export function errorDetail(error: unknown): string {
  if (error instanceof R2poError) return error.detail;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The `code` of a file system or network error, null for any other. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Levenshtein distance: minimum number of letters to insert, remove or replace to turn `b` into `a`. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    above = row;
  }
  return above[b.length]!;
}

/**
 * The known name closest to `name`, or null when none is close enough to be a typing error.
 * Case is ignored, and a prefix counts as close ("CartPole" finds "CartPole-v1").
 */
export function nearest(name: string, known: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Infinity;
  const limit = Math.max(2, Math.floor(name.length / 3));
  for (const candidate of known) {
    const lower = candidate.toLowerCase();
    // So much longer that no number of typing errors explains it; comparing them would take long.
    if (wanted.length - lower.length > limit) continue;
    const d = wanted.length >= 3 && lower.startsWith(wanted) ? 1 : distance(wanted, lower);
    if (d < bestDistance) {
      bestDistance = d;
      best = candidate;
    }
  }
  return bestDistance <= limit ? best : null;
}

/** `unknown X "name"; did you mean "near"? Known: a, b, c` */
export function unknownName(kind: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `unknown ${kind} "${name}"${near ? `; did you mean "${near}"?` : ';'} known: ${known.join(', ')}`;
}

/** `name` when it is one of `known`. Throws a usage error with the nearest known name; `remedy` ends the message. */
export function knownName<T extends string>(
  unit: string,
  kind: string,
  name: string,
  known: readonly T[],
  remedy = '',
): T {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  if (typeof name === 'string') throw new UsageError(unit, `${unknownName(kind, name, known)}${remedy}`);
  throw new UsageError(unit, `expected a name as the ${kind}, got ${shown(name)}; known: ${known.join(', ')}${remedy}`);
}

/** The entry with this id. Throws the errors of `knownName`. */
export function findById<T extends { readonly id: string }>(
  unit: string,
  kind: string,
  id: string,
  entries: readonly T[],
  remedy = '',
): T {
  const ids = entries.map((entry) => entry.id);
  return entries[ids.indexOf(knownName(unit, kind, id, ids, remedy))]!;
}
