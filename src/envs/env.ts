/**
 * An environment: rows of data (state, observation, action, constants with unit and source) and three pure
 * functions in float64. The same rows feed the docs, the model's description, the bounds tests, and the GPU program,
 * so that each number of the physics is written once.
 */
import { having } from '../base/arguments.ts';
import { R2poError } from '../base/errors.ts';
import type { Draws } from '../base/rng/draws.ts';
import { shown } from '../base/shown.ts';
import type { EnvOptionRules } from './options.ts';
import { withOrigin } from './origin.ts';
import type { Picture } from './picture.ts';
import { fieldName, isReservedWord } from './wgsl-names.ts';

/** One named component of a vector. Bounds may be infinite. */
export interface Row {
  /** snake_case; also the field name in WGSL */
  readonly name: string;
  /** what the number is, in words; descriptions for models have it */
  readonly meaning: string;
  /** SI unit, or 1 */
  readonly unit: string;
  /** lower bound, in the unit; -Infinity: none */
  readonly low: number;
  /** upper bound, in the unit; Infinity: none */
  readonly high: number;
}

/** Bounds of a row without any. */
export const unbounded = { low: -Infinity, high: Infinity } as const;

/** Bounds of a row that are as far from 0 on both sides. */
export const within = (limit: number): Pick<Row, 'low' | 'high'> => ({ low: -limit, high: limit });

/** What a policy sees: a vector of f32 rows, or the number of a state in 0 ... n - 1. */
export type ObservationSpace =
  | {
      /** a vector of numbers */
      readonly kind: 'vector';
      /** one row per entry `[OBS_DIM]` */
      readonly rows: readonly Row[];
    }
  | {
      /** the number of a state */
      readonly kind: 'discrete';
      /** number of states */
      readonly n: number;
      /** what the number says */
      readonly meaning: string;
    };

/** What a policy does: one of numbered actions, or a vector in a box. */
export type ActionSpace =
  | {
      /** one of n numbered actions */
      readonly kind: 'discrete';
      /** what each action does `[n]` */
      readonly meanings: readonly string[];
      /** numbers of actions that are illegal in every state; the environment answers them, no policy chooses them */
      readonly againstRules?: readonly number[];
    }
  | {
      /** a vector of bounded numbers */
      readonly kind: 'box';
      /** one row per entry `[ACTION_DIM]` */
      readonly rows: readonly Row[];
    };

/** Observation and action of an environment; all that a policy kind has to know. */
export interface Spaces {
  /** what the policy sees */
  readonly observation: ObservationSpace;
  /** what it does */
  readonly action: ActionSpace;
}

/** A number of the physics, which stands here only: both backends receive it as data. */
export interface Constant {
  /** its value, in the unit */
  readonly value: number;
  /** SI unit, or 1 */
  readonly unit: string;
  /** file or paper, with version */
  readonly source: string;
  /** what else it may be; left out: by the sign of its value, see constants.ts */
  readonly allowed?: ConstantRange;
}

/** What a constant may be: numbers of a kind, or only its value, as the states, the actions or the map go with it. */
export const constantRanges = ['any', 'positive', 'not negative', 'whole', 'share', 'fixed'] as const;
export type ConstantRange = (typeof constantRanges)[number];

/** Resolved numbers by name: constants and what is derived from them. */
export type Params = Readonly<Record<string, number>>;

/** Options of an environment by name, as those of `gymnasium.make`. */
export type EnvOptions = Readonly<Record<string, unknown>>;

/** Filled by `step`; one record per rollout loop, reused, so that a step allocates nothing. */
export interface Transition {
  /** 0 before the step */
  reward: number;
  /** false before the step */
  terminated: boolean;
}

/**
 * The float64 reference. States, observations and actions are typed arrays owned by the caller; a discrete action is
 * its index in `action[0]`. A state array holds the memory rows behind the state rows.
 */
export interface Dynamics<P extends Params = Params> {
  /** Fills `state [STATE_DIM + MEMORY_DIM]` with the state that Gymnasium's `reset(seed=s)` gives for `rng` seeded with s. */
  reset(params: P, rng: Draws, state: Float64Array): void;
  /** Fills `observation [OBS_DIM]`, rounded to the original's dtype. */
  observe(params: P, state: Float64Array, observation: Float64Array): void;
  /** Advances `state` in place by one step of `action [ACTION_DIM]`. */
  step(params: P, state: Float64Array, action: Float64Array, rng: Draws, out: Transition): void;
}

/** The values of an environment's constants. */
export type ConstantValues<C> = { readonly [K in keyof C]: number };

/** The parameters of the dynamics: the constants and the results of `derive`. */
export type ParamsOf<C, D extends (constants: never) => Params> = ConstantValues<C> & Readonly<ReturnType<D>>;

/**
 * The same step for GPU.js, as source text in the part of JavaScript that it translates. Variables are named as the
 * state rows; `p.<name>` is a number of the environment.
 */
export interface GpujsKernel {
  /** one expression per observation entry */
  readonly observe: readonly string[];
  /** Statements: assign the state, `reward`, and `terminated` (0 or 1), for the one entry of `action`. */
  readonly step: string;
}

/**
 * Measured costs on one thread, with a linear policy or a table. From them `--backend auto` chooses where there is no GPU; only
 * their proportions count.
 */
export interface StepCost {
  /** of a step in float64 on the backend cpu, ns */
  readonly cpu: number;
  /** of a step on the backend wasm, ns */
  readonly wasm: number;
  /** of the first call on the backend wasm, which compiles, ms */
  readonly compile: number;
  /** most steps of an episode, where they are fewer than the step limit */
  readonly steps?: number;
}

/** A WGSL file. */
export interface ShaderText {
  /** name of the file, for messages of the compiler */
  readonly path: string;
  /** its WGSL */
  readonly text: string;
}

/** What defines an environment: rows and constants as data, and three functions. */
export interface EnvSpec<C extends Record<string, Constant>, D extends Params> {
  /** the original's registered id, version included */
  readonly id: string;
  /** kebab-case; names `src/envs/<folder>/`, `shaders/envs/<folder>.wgsl`, `configs/<folder>/` */
  readonly folder: string;
  /** the original that our numbers are compared with, and its version */
  readonly groundTruth: string;
  /** entries of the state `[STATE_DIM]` */
  readonly state: readonly Row[];
  /**
   * Carried from step to step beside the state: derived values of the last step that the original keeps and observes.
   * Not part of a probe's or a trace's state; 0 in a state that is given from outside.
   */
  readonly memory?: readonly Row[];
  /** what a policy sees */
  readonly observation: ObservationSpace;
  /** what a policy does */
  readonly action: ActionSpace;
  /** numbers of the physics by name */
  readonly constants: C;
  /** further numbers, computed from the constants */
  readonly derive: (constants: ConstantValues<NoInfer<C>>) => D;
  /** Params whose float64 value the GPU needs to the last bit (draw bounds); they travel as two u32 words. */
  readonly exact: readonly (keyof C | keyof D)[];
  /** Whole numbers below 2^32 that do not fit a name, such as a map; `ENV_TABLE` in WGSL. */
  readonly table?: readonly number[];
  /** files of shaders/lib, by their names without ending, that this environment's shader calls */
  readonly libraries?: readonly string[];
  /** whether it draws normal numbers, for which the GPU needs tables */
  readonly normalDraws?: boolean;
  /** texts for `prompt.md` that follow from the options: `{{notes.x}}` */
  readonly notes?: Readonly<Record<string, string>>;
  /** how a state is drawn; default: bars */
  readonly picture?: Picture;
  /** the board of an environment whose observation is the number of a cell: a text per row, a character per cell */
  readonly grid?: readonly string[];
  /** maximum number of random numbers per step; 0 when left out */
  readonly stepDraws?: number;
  /** the options of this environment */
  readonly options?: EnvOptions;
  /** Builds the environment with other options; throws a usage error for ones it does not know. */
  readonly withOptions?: ((options: EnvOptions) => Env) | null;
  /** the environment's own step limit (`truncated`), null when it has none */
  readonly timeLimit: number | null;
  /** an episode with at least this return is a success */
  readonly success: {
    /** least return of a success */
    readonly threshold: number;
    /** where it is from */
    readonly source: string;
  };
  /** smallest and largest possible return of one episode within the time limit */
  readonly returnRange: readonly [number, number];
  /** Allowed |webgpu - cpu| after one step from the same state, relative to max(1, largest state entry). */
  readonly parity: {
    /** the tolerance, relative */
    readonly singleStep: number;
    /** why it is that large */
    readonly reason: string;
  };
  /** reset, observation and step in float64 */
  readonly dynamics: Dynamics<ConstantValues<C> & D>;
  /** left out: `--backend auto` is cpu where there is no GPU */
  readonly stepCost?: StepCost;
  /** for the backend "gpujs"; without it that backend does not play the environment */
  readonly gpujs?: GpujsKernel | null;
  /** the WGSL with its path for messages, read when first needed; left out: shaders/envs/<folder>.wgsl of this package */
  readonly shader?: (() => ShaderText) | null;
}

/** A defined environment: the spec with its numbers and defaults resolved. */
export interface Env
  extends Omit<
      EnvSpec<Record<string, Constant>, Params>,
      'dynamics' | 'derive' | 'exact' | 'withOptions' | 'gpujs' | 'shader'
    >,
    Spaces {
  /** constants and derived numbers by name */
  readonly params: Params;
  /** what follows from the constants */
  readonly derive: (constants: Params) => Params;
  /** constants that were given other values, which no option does */
  readonly changed: Params;
  /** names of params that the GPU needs in float64 */
  readonly exact: readonly string[];
  readonly memory: readonly Row[];
  readonly table: readonly number[];
  readonly libraries: readonly string[];
  readonly notes: Readonly<Record<string, string>>;
  readonly stepDraws: number;
  readonly options: EnvOptions;
  /** what each option may be; of a user's environment, which checks its options itself: none */
  readonly optionRules: EnvOptionRules;
  /** absolute path of the file that it was loaded from; null for those of this package */
  readonly module: string | null;
  /** null: it takes no options */
  readonly withOptions: ((options: EnvOptions) => Env) | null;
  /** reset, observation and step in float64 */
  readonly dynamics: Dynamics;
  /** for the backend "gpujs"; null: that backend does not play it */
  readonly gpujs: GpujsKernel | null;
  /** the WGSL of a custom environment; null: that of this package */
  readonly shader: (() => ShaderText) | null;
}

/** Whether a program has passed one. */
export const anEnv = having(
  'an environment, as findEnv or loadEnv gives it',
  'dynamics',
  'params',
  'observation',
  'action',
);

export function constantValues<C extends Record<string, Constant>>(constants: C): ConstantValues<C> {
  return Object.fromEntries(Object.entries(constants).map(([k, c]) => [k, c.value])) as ConstantValues<C>;
}

/** Checks the rows and resolves the numbers. Throws when the spec contradicts itself. */
export function defineEnv<const C extends Record<string, Constant>, D extends Params>(spec: EnvSpec<C, D>): Env {
  const fail = (message: string): never => {
    throw new R2poError(spec.id, message);
  };
  const { derive, ...rest } = spec;
  const constants = constantValues(spec.constants);
  const derived: D | null | undefined = derive(constants);
  if (typeof derived !== 'object' || derived === null) {
    return fail(`expected "derive" to return an object of numbers, got ${shown(derived)}; return {} for none`);
  }
  for (const name of Object.keys(derived)) {
    if (name in constants) fail(`expected derived names apart from the constants, got "${name}" twice; rename one`);
  }
  const params = resolvedParams({ ...constants, ...derived });
  for (const [name, value] of Object.entries(params)) {
    if (!Number.isFinite(value)) fail(`expected a finite number for "${name}", got ${value}`);
  }
  for (const name of [...spec.state, ...(spec.memory ?? [])].map((row) => row.name).concat(Object.keys(params))) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
      fail(`expected names of letters, digits and _, as they also name fields in WGSL, got "${name}"; rename it`);
    }
    if (isReservedWord(fieldName(name))) fail(`expected a name that WGSL does not reserve, got "${name}"; rename it`);
  }
  for (const names of [[...spec.state, ...(spec.memory ?? [])].map((row) => row.name), Object.keys(params)]) {
    const named = new Map<string, string>();
    for (const name of names) {
      const field = fieldName(name);
      const other = named.get(field);
      if (other !== undefined) {
        fail(`expected names of different fields in WGSL, got "${other}" and "${name}", both "${field}"; rename one`);
      }
      named.set(field, name);
    }
  }
  for (const name of spec.exact) {
    if (!(name in params)) fail(`"exact" names "${String(name)}", which is no constant; known: ${Object.keys(params)}`);
  }
  for (const value of spec.table ?? []) {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
      fail(`expected whole numbers in 0 ... 2^32 - 1 in the table, got ${value}`);
    }
  }
  const env: Env = {
    ...rest,
    params,
    derive: derive as (constants: Params) => Params,
    changed: {},
    exact: spec.exact as readonly string[],
    memory: spec.memory ?? [],
    table: spec.table ?? [],
    libraries: spec.libraries ?? [],
    notes: spec.notes ?? {},
    stepDraws: spec.stepDraws ?? 0,
    options: spec.options ?? {},
    optionRules: {},
    module: null,
    withOptions: spec.withOptions ?? null,
    dynamics: spec.dynamics as unknown as Dynamics,
    gpujs: spec.gpujs ?? null,
    shader: spec.shader ?? null,
  };
  return withOrigin(env, 'program');
}

/**
 * A class of its own, so that its objects share no layout in V8 with those of other code: a name that has a text as its
 * value elsewhere would make each number under it an object.
 */
class Doubles {}

/**
 * The same numbers, all of them held as doubles. V8 would hold the whole ones as integers, and a choice between the two
 * kinds makes an object of each number that is chosen. Defined, not assigned: more than 12 assignments by computed
 * names would make a hash table of the object.
 */
export function resolvedParams(numbers: Params): Params {
  const doubles = new Doubles();
  for (const name of Object.keys(numbers)) {
    const property = { value: Number.NaN, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(doubles, name, property);
  }
  return Object.assign(doubles, numbers);
}

/** Length of a state array: the state rows, then the memory rows. */
export function stateArraySize(env: Pick<Env, 'state' | 'memory'>): number {
  return env.state.length + env.memory.length;
}

/** Number of observation entries that a policy reads: a discrete observation is one index. */
export function observationSize(space: ObservationSpace): number {
  return space.kind === 'vector' ? space.rows.length : 1;
}

/** Number of action entries that a step reads: a discrete action is one index. */
export function actionSize(space: ActionSpace): number {
  return space.kind === 'box' ? space.rows.length : 1;
}
