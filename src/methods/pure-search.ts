import { defineMethod } from './method.ts';
import { searchPrompt } from './prompts/search.ts';

/** Ablation: two samples instead of a critic. */
export const pureSearch = defineMethod({
  id: 'pure-search',
  title: 'PureSearch: the search prompt asked twice, the better answer kept',
  about:
    'The second call says that it asks for the second proposal, and shows nothing of the first; give the model a temperature.',
  stages: ['search', 'search', 'evaluate', 'evaluate'],
  candidates: ['proposal', 'revision'],
  prompts: { search: searchPrompt, critic: null },
  shows: [],
  keep: 'best',
  representative: 'mean',
});
