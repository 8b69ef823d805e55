/** Every analysis, one line each. */
import { findById } from '../../base/errors.ts';
import type { Analysis } from './analysis.ts';
import { edits } from './edits-analysis.ts';
import { rewardGroups } from './reward-groups.ts';
import { salience } from './salience.ts';
import { type SearchAnalysis, searchAnalysis } from './search-analysis.ts';
import { tauC } from './tau-c.ts';

/** Those of proposals and their revisions. */
export const analyses: readonly Analysis[] = [salience, edits, rewardGroups, tauC];

/** Every kind that `r2po analyze` knows. */
export const analysisKinds: readonly (Analysis | SearchAnalysis)[] = [...analyses, searchAnalysis];

/** Throws a usage error with the nearest known id, as the next one does. */
export function findAnalysis(id: string): Analysis {
  return findById('analyze', 'kind of analysis', id, analyses, '; see "r2po analyze --help"');
}

export function findAnalysisKind(id: string): Analysis | SearchAnalysis {
  return findById('analyze', 'kind of analysis', id, analysisKinds, '; see "r2po analyze --help"');
}
