import type { Method } from './method.ts';
import { searchPrompt } from './prompts/search.ts';

/** Ablation: two samples instead of a critic. */
export const pureSearch: Method = {
  id: 'pure-search',
  title: 'PureSearch: the search prompt asked twice, the better answer kept',
  about: 'The second call gets the identical text, so only sampling tells the two apart; give the model a temperature.',
  stages: ['search', 'search', 'evaluate', 'evaluate'],
  prompts: { search: searchPrompt, critic: null },
  keep: 'best',
  representative: 'mean',
};
