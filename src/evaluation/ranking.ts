/** Many policies on common seeds: their order, and which of them differ significantly from the best. */
import { UsageError } from '../base/errors.ts';
import { RunningMean, RunningSquares } from '../base/moments.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend, PlayOptions } from '../rollout/backend.ts';
import type { RolloutJob } from '../rollout/job.ts';
import { checkSeeds, maxMeasuredEpisodes } from '../rollout/job-checks.ts';
import { BrokenReturnError } from '../rollout/statistics.ts';
import { type PairedTest, pairedOf } from '../stats/intervals.ts';
import { holm } from '../stats/multiple-testing.ts';
import { evaluate } from './evaluate.ts';
import type { Summary } from './summary.ts';

/** Policies that differ in their parameters only. */
export interface Population {
  readonly policy: Policy;
  /** parameter vectors `[paramCount]` */
  readonly candidates: readonly Float64Array[];
}

export interface RankRequest
  extends Pick<RolloutJob, 'env' | 'episodes' | 'maxSteps'>,
    Pick<PlayOptions, 'signal' | 'onProgress'> {
  readonly backend: Backend;
  readonly populations: readonly Population[];
  /** every policy plays the seeds `seed ... seed + episodes - 1` */
  readonly seed: number;
  /** The first `top` of the order play so many `episodes` more, on the seeds after those; null: no recheck. */
  readonly recheck: { readonly top: number; readonly episodes: number } | null;
  /** maximum number of episodes whose returns are kept in memory; more are all played again for the comparison */
  readonly keep?: number;
  /** maximum number of episodes that are compared at once */
  readonly block?: number;
}

/** Which policy: position in `populations`, and among its candidates. */
export interface PolicyIndex {
  readonly population: number;
  readonly candidate: number;
}

/** A policy with a return that is infinite or NaN. */
export interface BrokenPolicy extends PolicyIndex {
  readonly reason: string;
}

/** The policy minus the best one, on common seeds; p is two-sided. */
export interface AgainstBest extends PairedTest {
  /** adjusted for all comparisons with the best (Holm) */
  readonly holmP: number;
}

export interface Ranked extends PolicyIndex {
  /** from 1; policies of the same mean share one */
  readonly rank: number;
  readonly summary: Summary;
  /** null for the best itself */
  readonly againstBest: AgainstBest | null;
}

/** One of the first policies, played again on seeds that were not used to rank it. */
export interface Rechecked extends PolicyIndex {
  /** index in the order */
  readonly position: number;
  readonly summary: Summary;
  /** compared with the best of the order; null for the best itself, and when its returns are broken here */
  readonly againstBest: AgainstBest | null;
}

export interface PolicyRanking {
  /** highest mean first; ties in the order of the request */
  readonly order: readonly Ranked[];
  readonly recheck: {
    readonly seed: number;
    readonly episodes: number;
    readonly policies: readonly Rechecked[];
    readonly broken: readonly BrokenPolicy[];
  } | null;
  readonly broken: readonly BrokenPolicy[];
  readonly steps: number;
  readonly seconds: number;
}

/** 128 MiB of returns, with lengths and ends 208. */
const defaultKeep = 2 ** 24;
const defaultBlock = 2 ** 20;

/** Throws a usage error for what cannot be played, or when no policy is left. */
export async function rankPolicies(request: RankRequest): Promise<PolicyRanking> {
  const { populations, episodes, seed } = request;
  const started = performance.now();
  const everyone = populations.flatMap(({ candidates }, population) =>
    candidates.map((_, candidate) => ({ population, candidate })),
  );
  if (request.recheck) checkSeeds('evaluate', seed, episodes + request.recheck.episodes);
  const top = request.recheck ? Math.min(request.recheck.top, everyone.length) : 0;
  const work = new RankingWork(request, everyone.length * episodes, top * (request.recheck?.episodes ?? 0));
  const first = await work.play(everyone, { seed, episodes });
  const ordered = [...first.policies].sort((a, b) => b.summary.mean - a.summary.mean);
  const [best] = ordered;
  if (best === undefined) {
    throw new UsageError('evaluate', `expected a policy that can be ranked, got none: ${first.broken[0]?.reason}`);
  }
  const tests = await work.compare(first, ordered, best);
  let rank = 0;
  const order = ordered.map(({ population, candidate, summary }, i): Ranked => {
    if (summary.mean !== ordered[i - 1]?.summary.mean) rank = i + 1;
    return { rank, population, candidate, summary, againstBest: tests[i]! };
  });
  const recheck = await recheckTop(work, request, ordered.slice(0, top), best);
  return {
    order,
    recheck,
    broken: first.broken,
    steps: work.steps,
    seconds: (performance.now() - started) / 1000,
  };
}

async function recheckTop(
  work: RankingWork,
  { recheck, seed, episodes }: RankRequest,
  policies: readonly PlayedPolicy[],
  best: PolicyIndex,
): Promise<PolicyRanking['recheck']> {
  if (recheck === null) return null;
  const fresh = { seed: seed + episodes, episodes: recheck.episodes };
  const again = await work.play(policies, fresh);
  const inOrder = policies.flatMap((wanted, position) => {
    const found = again.policies.find((one) => isSame(one, wanted));
    return found ? [{ position, played: found }] : [];
  });
  const bestAgain = inOrder.find(({ played }) => isSame(played, best));
  const played = inOrder.map((one) => one.played);
  const tests = bestAgain ? await work.compare(again, played, bestAgain.played) : played.map(() => null);
  const rechecked = inOrder.map(({ position, played: { population, candidate, summary } }, i) => {
    return { population, candidate, position, summary, againstBest: tests[i]! };
  });
  return { ...fresh, policies: rechecked, broken: again.broken };
}

function isSame(a: PolicyIndex, b: PolicyIndex): boolean {
  return a.population === b.population && a.candidate === b.candidate;
}

interface Seeds {
  readonly seed: number;
  readonly episodes: number;
}

interface PlayedPolicy extends PolicyIndex {
  readonly summary: Summary;
  /** `[episodes]`, where they were kept */
  readonly returns: Float64Array | null;
}

interface PlayedPolicies extends Seeds {
  readonly policies: readonly PlayedPolicy[];
  readonly broken: readonly BrokenPolicy[];
}

/** Plays and compares the policies, and reports progress. */
class RankingWork {
  readonly #request: RankRequest;
  /** episodes, including those played again for comparisons */
  readonly #total: number;
  #done = 0;
  steps = 0;

  constructor(request: RankRequest, ranked: number, rechecked: number) {
    this.#request = request;
    const playedFor = (episodes: number): number => (this.#keeps(episodes) ? 1 : 2) * episodes;
    this.#total = playedFor(ranked) + playedFor(rechecked);
  }

  /** Every policy on all of these seeds, in the order of `wanted`. */
  async play(wanted: readonly PolicyIndex[], seeds: Seeds): Promise<PlayedPolicies> {
    const keeps = this.#keeps(wanted.length * seeds.episodes);
    const maxPolicies = Math.max(1, Math.floor(maxMeasuredEpisodes / seeds.episodes));
    const policies: PlayedPolicy[] = [];
    const broken: BrokenPolicy[] = [];
    for (const some of slicesByPopulation(wanted, maxPolicies)) {
      const parts = await this.#playSome(some, seeds, keeps);
      for (const policy of parts.policies) policies.push(policy);
      for (const policy of parts.broken) broken.push(policy);
    }
    return { ...seeds, policies, broken };
  }

  /** Plays policies of one population. Halves the list until each policy with broken returns is alone. */
  async #playSome(
    some: readonly PolicyIndex[],
    seeds: Seeds,
    keeps: boolean,
  ): Promise<Omit<PlayedPolicies, keyof Seeds>> {
    const { backend, signal } = this.#request;
    const job = this.#job(some, seeds);
    const base = this.#done;
    try {
      const result = await evaluate({
        ...job,
        backend,
        keepOutcomes: keeps,
        ...(signal && { signal }),
        onProgress: (share) => this.#report(base + share * some.length * seeds.episodes),
      });
      this.#report(base + some.length * seeds.episodes);
      const returns = keeps ? (await result.outcomes()).returns : null;
      this.steps += result.played.steps;
      const policies = some.map((policy, i) => ({
        ...policy,
        summary: result.summaries[i]!,
        returns: returns?.subarray(i * seeds.episodes, (i + 1) * seeds.episodes) ?? null,
      }));
      return { policies, broken: [] };
    } catch (error) {
      if (!(error instanceof BrokenReturnError)) throw error;
      if (some.length === 1) return { policies: [], broken: [{ ...some[0]!, reason: error.detail }] };
      this.#done = base;
      const half = Math.ceil(some.length / 2);
      const [low, high] = [
        await this.#playSome(some.slice(0, half), seeds, keeps),
        await this.#playSome(some.slice(half), seeds, keeps),
      ];
      return { policies: [...low.policies, ...high.policies], broken: [...low.broken, ...high.broken] };
    }
  }

  /** The comparison of each policy of `ordered` with `best`. */
  async compare(
    { seed, episodes }: PlayedPolicies,
    ordered: readonly PlayedPolicy[],
    best: PlayedPolicy,
  ): Promise<(AgainstBest | null)[]> {
    const compared = ordered.filter((one) => !isSame(one, best));
    const sums = compared.map(({ summary }) => new DifferenceSums(summary.mean - best.summary.mean, episodes));
    const { block = defaultBlock } = this.#request;
    if (best.returns !== null) {
      for (const [i, { returns }] of compared.entries()) if (returns) sums[i]!.add(best.returns, returns);
    } else {
      const numbered = compared.map((one, i) => ({ ...one, sums: sums[i]! }));
      for (let first = 0; first < episodes; first += block) {
        const count = Math.min(block, episodes - first);
        await this.#addDifferences(best, numbered, { seed: seed + first, episodes: count }, block);
      }
    }
    const tests = sums.map((one) => one.test());
    const adjusted = holm(tests.map(({ p }) => p));
    let next = 0;
    return ordered.map((one) => {
      if (isSame(one, best)) return null;
      const at = next++;
      return { ...tests[at]!, holmP: adjusted[at]! };
    });
  }

  async #addDifferences(
    best: PolicyIndex,
    others: readonly (PolicyIndex & { readonly sums: DifferenceSums })[],
    seeds: Seeds,
    block: number,
  ): Promise<void> {
    const count = seeds.episodes;
    const theirs = await this.#returnsOf([best], seeds);
    this.#report(this.#done + count);
    for (const some of slicesByPopulation(others, Math.max(1, Math.floor(block / count)))) {
      const returns = await this.#returnsOf(some, seeds);
      some.forEach(({ sums }, i) => {
        sums.add(theirs, returns.subarray(i * count, (i + 1) * count));
      });
      this.#report(this.#done + some.length * count);
    }
  }

  async #returnsOf(some: readonly PolicyIndex[], seeds: Seeds): Promise<Float64Array> {
    const { backend, signal } = this.#request;
    const played = await backend.play(this.#job(some, seeds), signal ? { signal } : {});
    this.steps += played.steps;
    return played.returns;
  }

  #job(some: readonly PolicyIndex[], { seed, episodes }: Seeds): RolloutJob {
    const { env, maxSteps, populations } = this.#request;
    const { policy, candidates } = populations[some[0]!.population]!;
    return { env, policy, candidates: some.map(({ candidate }) => candidates[candidate]!), episodes, seed, maxSteps };
  }

  #keeps(episodes: number): boolean {
    return episodes <= (this.#request.keep ?? defaultKeep);
  }

  #report(done: number): void {
    this.#done = Math.min(done, this.#total);
    this.#request.onProgress?.(this.#done / this.#total);
  }
}

/** Slices of at most `max` policies of one population, in their order. */
function slicesByPopulation<T extends PolicyIndex>(policies: readonly T[], max: number): T[][] {
  const groups = new Map<number, T[]>();
  for (const policy of policies) {
    const group = groups.get(policy.population) ?? [];
    groups.set(policy.population, group);
    group.push(policy);
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / max) }, (_, i) => group.slice(i * max, (i + 1) * max)),
  );
}

/** The moments of differences on common seeds; `centre` is their approximate mean. */
class DifferenceSums {
  readonly #n: number;
  readonly #centre: number;
  readonly #mean = new RunningMean();
  readonly #squares: RunningSquares;

  constructor(centre: number, n: number) {
    this.#n = n;
    this.#centre = centre;
    this.#squares = new RunningSquares(centre);
  }

  add(best: Float64Array, own: Float64Array): void {
    const differences = own.map((value, i) => value - best[i]!);
    this.#mean.add(differences);
    this.#squares.add(differences);
  }

  test(): PairedTest {
    const n = this.#n;
    const { mean } = this.#mean;
    // The centre is the difference of two rounded means.
    const squares = Math.max(0, this.#squares.sum - n * (mean - this.#centre) ** 2);
    return pairedOf({ mean, variance: n > 1 ? squares / (n - 1) : NaN, n });
  }
}
