/** Linked programs, kept for as long as what they were linked for: reading and linking takes longer than a small call. */
import type { Env } from '../../../envs/env.ts';
import type { Policy } from '../../../policies/policy.ts';
import type { Program } from './link.ts';
import { probeProgram, type ReadShader, type Recording, rolloutProgram, statisticsProgram } from './programs.ts';

export class ProgramCache {
  readonly #read: ReadShader;
  readonly #rollouts = new WeakMap<Env, WeakMap<Policy, Map<Recording, Program>>>();
  #statistics: Program | null = null;

  constructor(read: ReadShader) {
    this.#read = read;
  }

  rollout(env: Env, policy: Policy, recording: Recording): Program {
    const ofEnv = this.#rollouts.get(env) ?? new WeakMap<Policy, Map<Recording, Program>>();
    this.#rollouts.set(env, ofEnv);
    const ofPolicy = ofEnv.get(policy) ?? new Map<Recording, Program>();
    ofEnv.set(policy, ofPolicy);
    const program = ofPolicy.get(recording) ?? rolloutProgram(env, policy, this.#read, recording);
    ofPolicy.set(recording, program);
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
