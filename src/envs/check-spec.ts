/** The run-time check of custom environments: the types of `EnvSpec` as a schema, and what its parts say of one another. */
import { z } from 'zod';
import { R2poError } from '../base/errors.ts';
import { shown } from '../base/shown.ts';
import {
  actionSize,
  type Constant,
  constantRanges,
  type EnvSpec,
  type GpujsKernel,
  observationSize,
  type Params,
} from './env.ts';

const text = z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' });
const number = z.number({ error: 'a finite number' });
/** zod's own numbers exclude the infinities that bounds may have. */
const bound = z.union([z.number(), z.literal(Infinity), z.literal(-Infinity)], {
  error: 'a number, -Infinity or Infinity',
});
const rowName = z
  .string({ error: 'a name' })
  .regex(/^[a-z][a-z0-9_]*$/, { error: 'a name of small letters, digits and _, as it also names a field in WGSL' });
const callable = z.custom<unknown>((value) => typeof value === 'function', { error: 'a function' });
const positive = z.number({ error: 'a number above 0' }).positive({ error: 'a number above 0' });
const count = z.number({ error: 'a whole number' }).int({ error: 'a whole number' });

const row = z
  .strictObject({ name: rowName, meaning: text, unit: text, low: bound, high: bound })
  .refine(({ low, high }) => low < high, { error: 'a row with low below high' });

const boundedRow = row.refine(({ low, high }) => [low, high].every((one) => Number.isFinite(Math.fround(one))), {
  error: 'a row with bounds that are finite in f32, as actions are clipped to them',
});

const observation = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('vector'), rows: z.array(row).min(1, { error: 'at least one row' }) }),
    z.strictObject({
      kind: z.literal('discrete'),
      n: count.min(1, { error: 'a number of at least 1' }),
      meaning: text,
    }),
  ],
  { error: '{ kind: "vector", rows } or { kind: "discrete", n, meaning }' },
);

const action = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('discrete'),
      meanings: z.array(text).min(1, { error: 'at least one action' }),
      againstRules: z.array(count).optional(),
    }),
    z.strictObject({ kind: z.literal('box'), rows: z.array(boundedRow).min(1, { error: 'at least one row' }) }),
  ],
  { error: '{ kind: "discrete", meanings } or { kind: "box", rows }' },
);

const fields = {
  id: text,
  folder: z
    .string({ error: 'a name' })
    .regex(/^[a-z][a-z0-9-]*$/, { error: 'a name of small letters, digits and -, as of the .wgsl file,' }),
  groundTruth: text,
  state: z.array(row).min(1, { error: 'at least one row' }),
  memory: z.array(row).optional(),
  observation,
  action,
  constants: z.record(
    z.string(),
    z.strictObject({
      value: number,
      unit: text,
      source: text,
      allowed: z.enum(constantRanges, { error: `one of ${constantRanges.join(', ')}` }).optional(),
    }),
  ),
  derive: callable,
  exact: z.array(z.string()),
  table: z.array(z.number()).optional(),
  libraries: z.array(z.string()).optional(),
  normalDraws: z.boolean().optional(),
  notes: z.record(z.string(), z.string()).optional(),
  grid: z.array(text).optional(),
  picture: z.object({ stepSeconds: number, draw: callable }).optional(),
  stepDraws: count.min(0).optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  withOptions: callable.nullable().optional(),
  timeLimit: count.min(1, { error: 'a number of at least 1' }).nullable(),
  success: z.strictObject({ threshold: number, source: text }),
  returnRange: z
    .tuple([bound, bound], { error: 'the smallest and the largest return' })
    .refine(([low, high]) => low < high, { error: 'the smallest and the largest return, in this order,' }),
  parity: z.strictObject({
    singleStep: z.number({ error: 'a number' }).min(0, { error: 'a number of at least 0' }),
    reason: text,
  }),
  dynamics: z.object(
    { reset: callable, observe: callable, step: callable },
    { error: 'the functions { reset, observe, step }' },
  ),
  stepCost: z
    .strictObject({ cpu: positive, wasm: positive, compile: positive, steps: count.min(1).optional() })
    .optional(),
  gpujs: z
    .strictObject({ observe: z.array(z.string()), step: z.string() })
    .nullable()
    .optional(),
  shader: callable.nullable().optional(),
} satisfies Record<keyof AnySpec, z.ZodType>;
const spec = z.strictObject(fields);

type AnySpec = EnvSpec<Record<string, Constant>, Params>;

/** Refuses a GPU.js kernel for an environment that the backend's loop cannot play. */
export function checkGpujsKernel(
  spec: Pick<AnySpec, 'id' | 'observation' | 'action' | 'memory' | 'stepDraws'>,
  kernel: GpujsKernel,
): void {
  const fail = (message: string): never => {
    throw new R2poError(spec.id, message);
  };
  const remedy = 'leave "gpujs" out';
  const observed = observationSize(spec.observation);
  if (kernel.observe.length !== observed) {
    fail(`expected ${observed} expressions in gpujs.observe, one per entry, got ${kernel.observe.length}; add or cut`);
  }
  const actions = actionSize(spec.action);
  if (actions !== 1) fail(`expected one action entry for a GPU.js kernel, got ${actions}; ${remedy}`);
  const memory = spec.memory?.length ?? 0;
  if (memory > 0) fail(`expected no memory rows for a GPU.js kernel, got ${memory}; ${remedy}`);
  if (spec.stepDraws) fail(`expected steps without draws for a GPU.js kernel, got ${spec.stepDraws}; ${remedy}`);
}

/** Refuses options that nothing can build the environment from again: worker threads, and later commands. */
function checkOptions({ id, options = {}, withOptions }: AnySpec): void {
  const names = Object.keys(options);
  if (names.length === 0 || withOptions) return;
  throw new R2poError(
    id,
    `expected "withOptions" beside the options ${names.join(', ')}, got none; add it, or leave "options" out`,
  );
}

/** Refuses numbers of no action, and rules that leave a policy none. */
function checkRules({ id, action }: AnySpec): void {
  if (action.kind !== 'discrete') return;
  const { meanings, againstRules = [] } = action;
  const other = againstRules.find((index) => !(index in meanings));
  if (other !== undefined) {
    throw new R2poError(
      id,
      `expected numbers of actions, 0 ... ${meanings.length - 1}, at action.againstRules, got ${other}; remove it`,
    );
  }
  if (meanings.every((_, index) => againstRules.includes(index))) {
    throw new R2poError(
      id,
      'expected an action that a policy may choose, got all of them at action.againstRules; leave one out',
    );
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

/** Throws an error that lists every field of `value` that is not what an `EnvSpec` has. */
export function checkSpec(value: unknown): void {
  const parsed = spec.safeParse(value);
  if (parsed.success) {
    const given = value as AnySpec;
    if (given.gpujs) checkGpujsKernel(given, given.gpujs);
    checkOptions(given);
    checkRules(given);
    return;
  }
  const id = (value as { id?: unknown } | null)?.id;
  const problems = parsed.error.issues.map((issue) => {
    const where = issue.path.map(String).join('.') || 'the top';
    return issue.code === 'unrecognized_keys'
      ? `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')} at ${where}`
      : `expected ${issue.message} at ${where}, got ${shown(valueAt(value, issue.path))}`;
  });
  throw new R2poError(typeof id === 'string' ? id : 'defineEnv', problems.join('; '));
}
