/**
 * The critic role: a small change of the proposal that probably helps, judging by the history. It reads the statistics
 * and ignores the description and the median episode.
 */
import type { Generator } from '../../base/rng/generator.ts';
import { changed, makeDomain, snap, stepOf } from './domain.ts';
import { expectedImprovement } from './gaussian-process.ts';
import type { ReadPrompt, ReadProposal } from './read.ts';
import type { Suggestion } from './search.ts';
import { fitSurrogate } from './surrogate.ts';

const candidateCount = 300;
/** Above the conservative threshold a change is at most this share of the step, and only one parameter changes. */
const cautiousShare = 0.2;

/** A revision of the proposal: tiny above the conservative threshold, and unchanged when every episode succeeded. */
export function revise(read: ReadPrompt, proposal: ReadProposal, rng: Generator): Suggestion {
  const { params, value, successRate, conservativeThreshold } = proposal;
  const cautious = conservativeThreshold !== null && value >= conservativeThreshold;
  if (cautious && successRate === 1) {
    return { params, reason: `At or above ${conservativeThreshold}, and every episode succeeded: left unchanged.` };
  }
  const domain = makeDomain(read.domain);
  const { process } = fitSurrogate(domain, [...read.trials, { params, value, averaged: true }]);
  const step = stepOf(domain, read.step);
  const target = process.predict(params).mean;
  let best = { params, improvement: -Infinity };
  for (let c = 0; c < candidateCount; c++) {
    const size = cautious ? Math.max(domain.spacing, cautiousShare * step) : step * rng.random();
    const share = cautious ? 0 : rng.random();
    const point = changed(domain, params, { size, share, limit: cautious ? size : step }, rng);
    const candidate = snap(domain, point);
    // The proposal was just measured on the same episodes.
    if (candidate.every((x, i) => x === params[i])) continue;
    const improvement = expectedImprovement(process.predict(candidate), target);
    if (improvement > best.improvement) best = { params: candidate, improvement };
  }
  const edits = best.params.filter((x, i) => x !== params[i]).length;
  return {
    params: best.params,
    reason: `${edits} of ${params.length} parameters changed a little, where the history makes an improvement most likely.`,
  };
}
