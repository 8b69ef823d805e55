/** Linked programs, kept for as long as what they were linked for: reading and linking takes longer than a small call. */
import type { Env } from '../../../envs/env.ts';
import type { Policy } from '../../../policies/policy.ts';
import type { Program } from './link.ts';
import { probeProgram, type ReadShader, rolloutProgram, statisticsProgram } from './programs.ts';

export class ProgramCache {
  readonly #read: ReadShader;
  readonly #recordsSteps: boolean;
  readonly #rollouts = new WeakMap<Env, WeakMap<Policy, Program>>();
  #statistics: Program | null = null;

  /** `recordsSteps`: of rollouts, see `rolloutProgram` */
  constructor(read: ReadShader, recordsSteps = false) {
    this.#read = read;
    this.#recordsSteps = recordsSteps;
  }

  rollout(env: Env, policy: Policy): Program {
    const ofEnv = this.#rollouts.get(env) ?? new WeakMap<Policy, Program>();
    this.#rollouts.set(env, ofEnv);
    const program = ofEnv.get(policy) ?? rolloutProgram(env, policy, this.#read, this.#recordsSteps);
    ofEnv.set(policy, program);
    return program;
  }

  /** Not cached: rare, and the work exceeds the linking. */
  probe(env: Env, what: 'resets' | 'transitions'): Program {
    return probeProgram(env, what, this.#read);
  }

  statistics(): Program {
    this.#statistics ??= statisticsProgram(this.#read);
    return this.#statistics;
  }
}
