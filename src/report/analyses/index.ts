/** Every analysis, one line each. */
import { findById } from '../../base/errors.ts';
import type { Analysis } from './analysis.ts';
import { edits } from './edits-analysis.ts';
import { rewardGroups } from './reward-groups.ts';
import { salience } from './salience.ts';
import { tauC } from './tau-c.ts';

export const analyses: readonly Analysis[] = [salience, edits, rewardGroups, tauC];

/** Throws a usage error with the nearest known id. */
export function findAnalysis(id: string): Analysis {
  return findById('analyze', 'kind of analysis', id, analyses, '; see "r2po analyze --help"');
}
