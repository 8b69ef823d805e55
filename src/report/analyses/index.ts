/** Every analysis, one line each. */
import { UsageError, unknownName } from '../../base/errors.ts';
import type { Analysis } from './analysis.ts';
import { edits } from './edits.ts';
import { rewardGroups } from './reward-groups.ts';
import { salience } from './salience.ts';
import { tauC } from './tau-c.ts';

export const analyses: readonly Analysis[] = [salience, edits, rewardGroups, tauC];

/** Throws a usage error with the nearest known id. */
export function findAnalysis(id: string): Analysis {
  const found = analyses.find((analysis) => analysis.id === id);
  if (found) return found;
  const known = analyses.map((analysis) => analysis.id);
  throw new UsageError('analyze', `${unknownName('kind of analysis', id, known)}; see "r2po analyze --help"`);
}
