import { defineMethod } from './method.ts';
import { statisticsCritic } from './prompts/critic.ts';
import { searchPrompt } from './prompts/search.ts';

/** Reflective Prompted Policy Optimization. */
export const r2po = defineMethod({
  id: 'r2po',
  title: 'Reflective Prompted Policy Optimization: search, then a critic that sees statistics and the median episode',
  about:
    'The search sees rewards only, the critic sees behaviour; the better of the two is kept, a tie goes to the revision.',
  stages: ['search', 'evaluate', 'critic', 'evaluate'],
  candidates: ['proposal', 'revision'],
  prompts: { search: searchPrompt, critic: statisticsCritic },
  shows: ['environment', 'statistics', 'threshold', 'episodes'],
  keep: 'best',
  representative: 'median',
});
