/** The search role: proposes the point of highest expected improvement among many points near the best trials. */
import { plainNumber } from '../../base/plain-number.ts';
import type { Generator } from '../../base/rng/generator.ts';
import { changed, type Domain, makeDomain, randomPoint, snap, stepOf, unusedPoint } from './domain.ts';
import { expectedImprovement } from './gaussian-process.ts';
import type { ReadPrompt } from './read.ts';
import { fitSurrogate, type Surrogate } from './surrogate.ts';

/** Parameters and a one-sentence reason. */
export interface Suggestion {
  readonly params: readonly number[];
  readonly reason: string;
}

/** Candidates drawn near trials and anywhere. */
const broadCount = 200;
/** Candidates then drawn around the best one so far, which climbs to a local maximum of the expected improvement. */
const climbCount = 200;
/** Number of best trials that candidates start from, the better ones more often. */
const parentCount = 5;
/** Share of candidates drawn anywhere, needed when all trials are equally bad. */
const globalShare = 0.1;
/** Range of change sizes, in exploration steps. */
const minStep = 0.2;
const maxStep = 2;
/** Share of candidates that change only some parameters. */
const sparseShare = 0.5;
/** Share of candidates with one sign flipped, so that both signs of a parameter are tried. */
const flipShare = 0.1;

function candidate(domain: Domain, step: number, { ranking }: Surrogate, count: number, rng: Generator): number[] {
  if (rng.random() < globalShare) return randomPoint(domain, count, rng);
  const parents = Math.min(parentCount, ranking.length);
  const parent = ranking[Math.min(rng.integers(0, parents), rng.integers(0, parents))]!.params;
  const size = step * minStep * (maxStep / minStep) ** rng.random();
  const share = rng.random() < sparseShare ? rng.random() : 1;
  const point = changed(domain, parent, { size, share }, rng);
  if (domain.kind === 'range' && rng.random() < flipShare) {
    const i = rng.integers(0, count);
    point[i] = domain.low + domain.high - point[i]!;
  }
  return snap(domain, point);
}

/** The next point to measure; never a past trial while other points exist. */
export function propose(read: ReadPrompt, rng: Generator): Suggestion {
  return proposeFrom(read, modelOf(read), [], rng);
}

/** Several points to measure at the same time, all different while there are as many. */
export function proposeSets(read: ReadPrompt, rng: Generator): { readonly sets: Params[]; readonly reason: string } {
  const model = modelOf(read);
  const sets: Params[] = [];
  let reason = '';
  for (let set = 0; set < (read.sets ?? 1); set++) {
    const suggestion = proposeFrom(read, model, sets, rng);
    sets.push(suggestion.params);
    if (set === 0) ({ reason } = suggestion);
  }
  return { sets, reason };
}

type Params = readonly number[];

/** What the trials say of other points; null: there are no trials. */
function modelOf({ domain: read, trials }: ReadPrompt) {
  const domain = makeDomain(read);
  return { domain, surrogate: trials.length === 0 ? null : fitSurrogate(domain, trials) };
}

/** `besides`: points that are measured at the same time. */
function proposeFrom(
  read: ReadPrompt,
  { domain, surrogate }: ReturnType<typeof modelOf>,
  besides: readonly Params[],
  rng: Generator,
): Suggestion {
  const { count, trials } = read;
  if (surrogate === null) {
    return {
      params: unusedPoint(domain, randomPoint(domain, count, rng), besides, rng),
      reason: 'Nothing has been measured yet, so this is a random point.',
    };
  }
  const step = stepOf(domain, read.step);
  const target = surrogate.ranking[0]!.mean;
  let best = { params: surrogate.ranking[0]!.params, improvement: -Infinity };
  for (let c = 0; c < broadCount + climbCount; c++) {
    const params =
      c < broadCount
        ? candidate(domain, step, surrogate, count, rng)
        : snap(domain, changed(domain, best.params, { size: step * rng.random(), share: rng.random() ** 2 }, rng));
    const improvement = expectedImprovement(surrogate.process.predict(params), target);
    if (improvement > best.improvement) best = { params, improvement };
  }
  const used = [...trials.map(({ params }) => params), ...besides];
  const isFlat = trials.every(({ value }) => value === trials[0]!.value);
  return {
    params: unusedPoint(domain, best.params, used, rng),
    reason: isFlat
      ? `All ${trials.length} trials measured ${plainNumber(trials[0]!.value)}, so nothing tells a better point; this one is far from them.`
      : `Highest expected improvement of ${broadCount + climbCount} candidates under a Gaussian process ` +
        `through ${surrogate.trials} trials.`,
  };
}
