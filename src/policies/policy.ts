/**
 * A policy kind: how many parameters it has for given spaces, and how it turns an observation into outputs.
 * A kind never picks the action itself when it has one score per action: argmax and clipping belong to the rollout
 * loop, once per backend.
 */
import { having } from '../base/arguments.ts';
import { deepFreeze } from '../base/deep-freeze.ts';
import type { Generator } from '../base/rng/generator.ts';
import type { Spaces } from '../envs/env.ts';

/** Options of a policy kind, by name; each kind checks its own. */
export type PolicyOptions = Readonly<Record<string, unknown>>;

/**
 * What one parameter may be: any real number, or one of a few listed whole numbers. A parameter of the latter kind may
 * be written with a fraction, which is dropped (`chosenValue`).
 */
export type ParameterValues =
  | { readonly kind: 'real' }
  | { readonly kind: 'choice'; readonly values: readonly number[] };

/** The whole number that a parameter with listed values means: cut towards zero, as the reference reads its tables. */
export function chosenValue(param: number): number {
  // Adding zero turns -0 into 0.
  return Math.trunc(param) + 0;
}

/** Whether a finite number may be such a parameter. */
export function allowsParameter(values: ParameterValues, param: number): boolean {
  return values.kind === 'real' || values.values.includes(chosenValue(param));
}

/** A way to act that fits itself to the spaces of an environment. */
export interface PolicyKind {
  /** kebab-case; names `src/policies/<id>.ts` and `shaders/policies/<id>.wgsl` */
  readonly id: string;
  /** one line for listings */
  readonly title: string;
  /**
   * For a kind with an option "seed" for what it draws: without one, run n of the reference has this base + n, and a run
   * of ours with seed s is its run s + 1. Left out: the kind draws nothing.
   */
  readonly runSeedBase?: number;
  /** null when the kind can act in these spaces, else the reason why it cannot */
  accepts(spaces: Spaces): string | null;
  /** Sizes, names and functions for these spaces. Throws a usage error for options it does not know. */
  build(spaces: Spaces, options: PolicyOptions): Policy;
}

/** From parameters `[paramCount]` to the values that act, `[count]`; worked out once per candidate. */
export interface Expansion {
  readonly count: number;
  expand(params: Float64Array): Float64Array;
}

/** The outputs written out for a shader, where no compiler has to unroll a loop to see them. */
export interface ShaderForm extends Expansion {
  /** one WGSL expression per output, from expressions for the entries of the observation and for the values */
  expressions(observed: readonly string[], value: (index: number) => string): readonly string[];
}

/** A policy kind fitted to an environment; parameters are passed to every call. */
export interface Policy {
  /** id of its kind */
  readonly kind: string;
  /** its options, defaults included */
  readonly options: PolicyOptions;
  /** what it was built for; left out: a policy that a program has written itself, which may go with any */
  readonly spaces?: Spaces;
  /** length of a parameter vector */
  readonly paramCount: number;
  /** one readable name per parameter, in flat order: "weight x -> push right" */
  readonly paramNames: readonly string[];
  /** names of rows and columns, for parameters that are one matrix, row by row; left out: they are none */
  readonly matrix?: {
    /** names of the rows */
    readonly rows: readonly string[];
    /** names of the columns */
    readonly columns: readonly string[];
  };
  /** what one parameter may be */
  readonly values: ParameterValues;
  /** `scores`: one number per action (argmax, or the Box action before the clip); `action`: the action itself */
  readonly output: 'scores' | 'action';
  /** length of `outputs` of `act` */
  readonly outputCount: number;
  /** names `shaders/policies/<shader>.wgsl` where that is not the kind's own: kinds may share a shader */
  readonly shader?: string;
  /** WGSL constants of this policy's shader, e.g. `NETWORK_RELU` */
  readonly shaderConstants: Readonly<Record<string, boolean | number>>;
  /** The values that `act` and the shader read; left out: the parameters themselves. */
  readonly expansion?: Expansion;
  /**
   * One expression per output, from expressions for the entries of the observation and for the parameters, in
   * JavaScript. The backend "gpujs" plays no kind without it.
   */
  readonly expressions?: (observed: readonly string[], parameter: (index: number) => string) => readonly string[];
  /** The values that the kind's shader reads and its `policy_expressions`; left out: only `policyValues`. */
  readonly shaderForm?: ShaderForm;
  /**
   * Parameters with which the policy acts on an observation as `params` act on `(observation - mean) / scale`, entry by
   * entry. Left out: the kind, or its options, have no such parameters.
   */
  readonly foldFilter?: (params: Float64Array, mean: ArrayLike<number>, scale: ArrayLike<number>) => Float64Array;
  /** Fills `outputs [outputCount]` from `policyValues(policy, params)` and `observation [OBS_DIM]`. */
  act(values: Float64Array, observation: Float64Array, outputs: Float64Array): void;
  /** A random parameter vector, as the reference draws its warm-up policies; `spread` is a standard deviation. */
  sample(rng: Generator, spread: number): Float64Array;
}

/** Whether a program has passed one. */
export const aPolicy = having('a policy, as buildPolicy gives it', 'act', 'paramCount', 'values');

const built = new WeakSet<Policy>();

/** Whether the policy is what its kind builds from its options, and no changed copy: shaders and workers know its kind. */
export const isBuilt = (policy: Policy): boolean => built.has(policy);

/** The kind, whose policies keep what they were built for and cannot be changed. */
export function definePolicyKind(kind: PolicyKind): PolicyKind {
  return {
    ...kind,
    build(spaces, options) {
      const { observation, action } = spaces;
      const made = kind.build(spaces, options);
      // A copy: a list of the caller may change.
      const policy = {
        ...deepFreeze({ ...made, options: structuredClone(made.options) }),
        spaces: { observation, action },
      };
      built.add(policy);
      return Object.freeze(policy);
    },
  };
}

/** The values that `act` reads for these parameters. */
export function policyValues({ expansion }: Policy, params: Float64Array): Float64Array {
  return expansion ? expansion.expand(params) : params;
}

/** From parameters to the values `[count]` that the shader reads. */
export function shaderExpansion(policy: Policy): Expansion {
  const { shaderForm, expansion, paramCount } = policy;
  return shaderForm ?? expansion ?? { count: paramCount, expand: (params) => params };
}

/** Normal numbers `[count]` of standard deviation `spread`, cut and then rounded to a tenth. */
export function roundedNormals(
  rng: Generator,
  count: number,
  spread: number,
  cut = (value: number): number => value,
): Float64Array {
  return Float64Array.from({ length: count }, () => Math.round(cut(rng.standardNormal() * spread) * 10) / 10);
}
