/** Episodes of one policy kind in one environment, played by the compiled rollout. */
import type { Env } from '../../envs/env.ts';
import { type Policy, shaderExpansion } from '../../policies/policy.ts';
import type { EpisodePlayer, Outcomes } from '../cpu/loop.ts';
import { type EndCause, endCauses, firstSeed, type RolloutJob } from '../job.ts';
import { causeIn, outcomeBytes, stepsIn } from '../webgpu/episodes/outcome-word.ts';
import { envParamWords, seedWords } from '../webgpu/program/declarations.ts';
import { ProgramCache } from '../webgpu/program/program-cache.ts';
import type { ReadShader, Recording } from '../webgpu/program/programs.ts';
import { type BufferGiven, ProgramInstance } from './instance.ts';
import { type CompiledModule, compiledModule } from './module-cache.ts';
import type { ShaderCheck } from './shader-check.ts';

/** Outcomes of one call of a program. */
const callEpisodes = 2 ** 14;
/** Words of the candidates of one call: many large ones do not need memory at the same time. */
export const callWords = 2 ** 20;
const outcomeWords = outcomeBytes / 4;

export type StepLimit = { readonly steps: number; readonly cause: EndCause };

/** What a call of the rollout gets beside the job: see `Job` in shaders/rollout.wgsl. */
export interface PlayedRange {
  /** flat index of the first episode among those of the candidates */
  readonly first: number;
  readonly count: number;
  /** 0: play; n > 0: play n - 1 steps of the first episode, and record where each begins and the last ends */
  readonly record: number;
  /** words that are recorded */
  readonly recordWords: number;
}

/** What the two programs of a rollout may record. A loop that cannot record is faster. */
export type WasmRecording = Extract<Recording, 'nothing' | 'all steps'>;

/** A compiled rollout with its memory. */
export class RolloutProgram {
  readonly #instance: ProgramInstance;
  readonly #policy: Policy;
  readonly #params: Uint32Array;

  constructor(instance: ProgramInstance, env: Env, policy: Policy) {
    this.#instance = instance;
    this.#policy = policy;
    this.#params = envParamWords(env);
  }

  /** Words of a candidate as the program reads it. */
  get candidateWords(): number {
    return shaderExpansion(this.#policy).count;
  }

  /** Plays a range of the episodes of some candidates; outcomes and records as the program writes them. */
  run(
    { candidates, episodes, seed }: Pick<RolloutJob, 'candidates' | 'episodes' | 'seed'>,
    limit: StepLimit,
    { first, count, record, recordWords }: PlayedRange,
  ): { readonly outcomes: Uint32Array; readonly records: Uint32Array } {
    const form = shaderExpansion(this.#policy);
    const values = new Float32Array(candidates.length * form.count);
    for (const [c, params] of candidates.entries()) values.set(form.expand(params), c * form.count);
    const ownSeeds = typeof seed === 'number' ? 0 : 1;
    const seeds = (ownSeeds ? candidates : [0]).flatMap((_, c) => seedWords(firstSeed({ seed }, c)));
    const job = [ownSeeds, episodes, first, count, limit.steps, endCauses.indexOf(limit.cause), 0, record];
    const buffers: BufferGiven[] = [
      Uint32Array.from(job),
      this.#params as Uint32Array<ArrayBuffer>,
      values,
      Uint32Array.from(seeds),
      { words: count * outcomeWords },
      { words: recordWords },
    ];
    const read = this.#instance.place(buffers);
    this.#instance.run(count);
    return { outcomes: read(4), records: read(5) };
  }
}

/** Rollouts with their memory, kept for as long as what they play. */
export class RolloutPrograms {
  readonly #linked: ProgramCache;
  readonly #check: ShaderCheck;
  readonly #made = new WeakMap<Env, WeakMap<Policy, Map<WasmRecording, Promise<RolloutProgram>>>>();

  constructor(read: ReadShader, check: ShaderCheck) {
    this.#linked = new ProgramCache(read);
    this.#check = check;
  }

  of(env: Env, policy: Policy, recording: WasmRecording): Promise<RolloutProgram> {
    const ofEnv = this.#made.get(env) ?? new WeakMap<Policy, Map<WasmRecording, Promise<RolloutProgram>>>();
    this.#made.set(env, ofEnv);
    const ofPolicy = ofEnv.get(policy) ?? new Map<WasmRecording, Promise<RolloutProgram>>();
    ofEnv.set(policy, ofPolicy);
    const made = ofPolicy.get(recording) ?? this.#open(env, policy, recording);
    ofPolicy.set(recording, made);
    // The memory that was missing may be free the next time.
    made.catch(() => ofPolicy.delete(recording));
    return made;
  }

  async module(env: Env, policy: Policy, recording: WasmRecording): Promise<CompiledModule> {
    return compiledModule(this.#linked.rollout(env, policy, recording), 'play', this.#check);
  }

  async #open(env: Env, policy: Policy, recording: WasmRecording): Promise<RolloutProgram> {
    return new RolloutProgram(await ProgramInstance.open(await this.module(env, policy, recording)), env, policy);
  }

  /** Start states, or single transitions. */
  async probe(env: Env, what: 'resets' | 'transitions'): Promise<ProgramInstance> {
    return ProgramInstance.open(await compiledModule(this.#linked.probe(env, what), what, this.#check));
  }
}

/** Plays slices of a job, on the calling thread. */
export class WasmPlayer implements EpisodePlayer {
  readonly #program: RolloutProgram;
  readonly #limit: StepLimit;

  constructor(program: RolloutProgram, limit: StepLimit) {
    this.#program = program;
    this.#limit = limit;
  }

  /** The entries `from ... to - 1` of the job, candidate-major. */
  play(
    { candidates, episodes, seed }: Pick<RolloutJob, 'candidates' | 'episodes' | 'seed'>,
    from: number,
    to: number,
    out: Outcomes,
  ): void {
    for (let first = from; first < to; ) {
      const c = Math.floor(first / episodes);
      const fitting = Math.max(1, Math.floor(callWords / this.#program.candidateWords));
      const count = Math.min(callEpisodes, to - first, (c + fitting) * episodes - first);
      const end = Math.ceil((first + count) / episodes);
      const some = {
        candidates: candidates.slice(c, end),
        episodes,
        seed: typeof seed === 'number' ? seed : seed.slice(c, end),
      };
      const range = { first: first - c * episodes, count, record: 0, recordWords: 0 };
      const { outcomes } = this.#program.run(some, this.#limit, range);
      unpack(outcomes, first, out);
      first += count;
    }
  }
}

/** Copies outcomes as the program writes them to the entries from `first` on. */
function unpack(outcomes: Uint32Array, first: number, { returns, lengths, ends }: Outcomes): void {
  const totals = new Float32Array(outcomes.buffer, outcomes.byteOffset, outcomes.length);
  for (let i = 0, to = first; i < outcomes.length; i += outcomeWords, to++) {
    const word = outcomes[i + 1]!;
    returns[to] = totals[i]!;
    lengths[to] = stepsIn(word);
    ends[to] = causeIn(word);
  }
}
