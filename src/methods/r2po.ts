/**
 * Reflective Prompted Policy Optimization: a search call that sees rewards only, then a critic call that sees behaviour;
 * the better of the two is kept, a tie goes to the revision.
 */
import type { Method } from './method.ts';
import { criticPrompt } from './prompts/critic.ts';
import { searchPrompt } from './prompts/search.ts';

export const r2po: Method = {
  id: 'r2po',
  title: 'Reflective Prompted Policy Optimization: search, then a critic that sees statistics and the median episode',
  stages: ['search', 'evaluate', 'critic', 'evaluate'],
  prompts: { search: searchPrompt, critic: criticPrompt },
  keep: 'best',
};
