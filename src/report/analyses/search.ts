/** `analyze search`: how searches move, for models, optimisers and hybrids alike. */
import { moments } from '../../base/moments.ts';
import { quantile } from '../../base/order-statistics.ts';
import { meanInterval, shareInterval } from '../../stats/intervals.ts';
import { differingSettings, settingValue } from '../settings.ts';
import type { SearchedRun } from './moves.ts';
import { type Replayed, rejectedOf } from './search-noise.ts';
import { type IterationSteps, type Step, stepsOf } from './search-steps.ts';
import type { Sharing } from './usable-runs.ts';

/** A run with its steps, and its rejected candidates that were played again. */
export interface MeasuredRun {
  readonly run: Sharing<SearchedRun>;
  /** without those that are counted with another run */
  readonly iterations: readonly IterationSteps[];
  /** of the whole search; null: nothing was kept */
  readonly way: Way | null;
  /** null: nothing was played again */
  readonly replayed: readonly Replayed[] | null;
}

export function measured(run: Sharing<SearchedRun>): Omit<MeasuredRun, 'replayed'> {
  const all = stepsOf(run);
  return { run, iterations: all.slice(run.shared?.count ?? 0), way: wayOf(run, all) };
}

export interface Quartiles {
  readonly q25: number;
  readonly median: number;
  readonly q75: number;
}

export interface AcceptanceBin {
  /** length of the steps, the first excluded */
  readonly from: number;
  readonly to: number;
  readonly candidates: number;
  readonly improving: number;
  readonly share: number;
  readonly ci95: readonly [number, number];
}

export interface NoiseSummary {
  /** of all runs */
  readonly rejected: number;
  readonly replayed: number;
  /** mean probability that a rejected candidate is better than the best policy before it, over those played again */
  readonly really_better: number | null;
  readonly ci95: readonly [number, number] | null;
  /** candidates whose mean on the fresh seeds is the higher one, and those with p < 0.05 among them */
  readonly higher: number;
  readonly significantly_higher: number;
}

export interface SearchSummary {
  readonly runs: number;
  readonly iterations: number;
  readonly candidates: number;
  /** 0 ... 1, of each candidate from the best policy before it; null: no iteration had one */
  readonly step: Quartiles | null;
  /** share of the parameters that a candidate changes */
  readonly changed: Quartiles | null;
  /** mean over runs: from the first kept policy to the best one */
  readonly drift: number | null;
  /** drift over the length of the way along the best policies; null: the best policy never changed */
  readonly straightness: number | null;
  readonly repeats: number;
  readonly near_repeats: number;
  readonly improving: number;
  readonly calls: number;
  readonly episodes: number;
  /** rise of the best mean after the first iteration, over runs: of a call, and of 1000 episodes; null: no call */
  readonly gain_per_call: number | null;
  readonly gain_per_1000_episodes: number | null;
  readonly acceptance: readonly AcceptanceBin[];
  /** null: nothing was played again */
  readonly noise: NoiseSummary | null;
}

/** Steps with at least this much in a bin. */
const bins = 4;
const significance = 0.05;

function quartilesOf(values: readonly number[]): Quartiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (q: number): number => quantile(sorted.length, q, (rank) => sorted[rank]!);
  return { q25: at(0.25), median: at(0.5), q75: at(0.75) };
}

/** Steps by their lengths, about as many in each bin; those of length 0 are repeats of the best policy, and in none. */
function acceptanceOf(steps: readonly Step[]): AcceptanceBin[] {
  const moving = steps.filter(({ length }) => length > 0).sort((a, b) => a.length - b.length);
  const ends = Array.from({ length: bins + 1 }, (_, i) => Math.round((i * moving.length) / bins));
  const found: AcceptanceBin[] = [];
  for (let bin = 0, from = 0; bin < bins; bin++) {
    let end = ends[bin + 1]!;
    // Equal lengths stay together.
    while (end > 0 && end < moving.length && moving[end]!.length === moving[end - 1]!.length) end += 1;
    const inside = moving.slice(from, end);
    if (inside.length === 0) continue;
    const improving = inside.filter(({ gain }) => gain > 0).length;
    found.push({
      from: from === 0 ? 0 : moving[from - 1]!.length,
      to: inside.at(-1)!.length,
      ...{ candidates: inside.length, improving, share: improving / inside.length },
      ci95: shareInterval(improving, inside.length),
    });
    from = end;
  }
  return found;
}

/** A probability lies within 0 ... 1, and so does what is known of it. */
const withinOne = ([low, high]: readonly [number, number]): readonly [number, number] => [
  Math.max(0, low),
  Math.min(1, high),
];

function noiseOf(runs: readonly MeasuredRun[]): NoiseSummary | null {
  if (runs.every(({ replayed }) => replayed === null)) return null;
  const all = runs.flatMap(({ replayed }) => replayed ?? []);
  const probabilities = all.map(({ probability }) => probability);
  const n = probabilities.length;
  const { mean, variance } = n > 0 ? moments(probabilities) : { mean: Number.NaN, variance: Number.NaN };
  const higher = all.filter(({ difference }) => difference > 0);
  return {
    rejected: runs.reduce((sum, { iterations }) => sum + rejectedOf(iterations).length, 0),
    replayed: n,
    really_better: n > 0 ? mean : null,
    ci95: n > 1 ? withinOne(meanInterval(mean, Math.sqrt(variance / n), n)) : null,
    higher: higher.length,
    significantly_higher: higher.filter(({ p }) => p < significance).length,
  };
}

/** The length of the way along the best policies of a run, and the distance of its ends. */
interface Way {
  readonly drift: number;
  readonly way: number;
}

function wayOf(run: SearchedRun, iterations: readonly IterationSteps[]): Way | null {
  const drift = iterations.at(-1)?.drift ?? null;
  if (drift === null) return null;
  let way = 0;
  for (const [i, { best, bestBefore, steps }] of iterations.entries()) {
    if (bestBefore === null || best === null || best < bestBefore) continue;
    const kept = run.moves[i]!.kept;
    const own = kept && steps.find(({ candidate }) => sameParams(candidate.params, kept.params));
    if (kept && kept.mean >= bestBefore) way += own?.length ?? 0;
  }
  return { drift, way };
}

function sameParams(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, i) => value === b[i]);
}

export function summarizeSearch(runs: readonly MeasuredRun[]): SearchSummary {
  const all = runs.flatMap(({ iterations }) => iterations);
  const steps = all.flatMap((iteration) => iteration.steps);
  const sum = (of: (iteration: IterationSteps) => number): number => all.reduce((total, one) => total + of(one), 0);
  const ways = runs.map(({ way }) => way).filter((way) => way !== null);
  const gains = runs.map(({ iterations }) => {
    const known = iterations.filter(({ best }) => best !== null);
    const [first] = known;
    const later = known.slice(1);
    return {
      gain: first ? known.at(-1)!.best! - first.best! : 0,
      calls: later.reduce((total, one) => total + one.calls, 0),
      episodes: later.reduce((total, one) => total + one.episodes, 0),
    };
  });
  const total = (of: (one: (typeof gains)[number]) => number): number => gains.reduce((a, one) => a + of(one), 0);
  const [gain, calls, episodes] = [total((one) => one.gain), total((one) => one.calls), total((one) => one.episodes)];
  const way = ways.reduce((a, one) => a + one.way, 0);
  const drift = ways.reduce((a, one) => a + one.drift, 0);
  return {
    runs: runs.length,
    iterations: all.length,
    candidates: sum(({ candidates }) => candidates),
    step: quartilesOf(steps.map(({ length }) => length)),
    changed: quartilesOf(steps.map(({ changed }) => changed)),
    drift: ways.length === 0 ? null : drift / ways.length,
    straightness: way === 0 ? null : drift / way,
    repeats: sum(({ repeats }) => repeats),
    near_repeats: sum(({ nearRepeats }) => nearRepeats),
    improving: steps.filter((step) => step.gain > 0).length,
    calls: sum((one) => one.calls),
    episodes: sum((one) => one.episodes),
    gain_per_call: calls === 0 ? null : gain / calls,
    gain_per_1000_episodes: episodes === 0 ? null : (1000 * gain) / episodes,
    acceptance: acceptanceOf(steps),
    noise: noiseOf(runs),
  };
}

export interface SearchGroup {
  readonly env: string;
  readonly method: string;
  readonly model: string;
  readonly members: readonly MeasuredRun[];
  readonly summary: SearchSummary;
}

/** By environment, method, model and the settings that differ, in the order of the runs; never pooled. */
export function groupSearches(runs: readonly MeasuredRun[]): SearchGroup[] {
  const byName = groupBy(runs, ({ run }) => JSON.stringify([run.env, run.method, run.model]));
  return byName.flatMap((alike) => {
    const keys = differingSettings(alike.map(({ run }) => run));
    const settings = ({ run }: MeasuredRun): string[] => keys.map((key) => `${key} ${settingValue(run, key)}`);
    return groupBy(alike, (one) => JSON.stringify(settings(one))).map((members) => {
      const { run } = members[0]!;
      const method = [run.method, ...settings(members[0]!)].join(', ');
      return { env: run.env, method, model: run.model, members, summary: summarizeSearch(members) };
    });
  });
}

function groupBy(runs: readonly MeasuredRun[], keyOf: (run: MeasuredRun) => string): MeasuredRun[][] {
  const groups = new Map<string, MeasuredRun[]>();
  for (const run of runs) groups.set(keyOf(run), [...(groups.get(keyOf(run)) ?? []), run]);
  return [...groups.values()];
}
