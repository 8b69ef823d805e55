import { defineMethod } from './method.ts';
import { searchPrompt } from './prompts/search.ts';

/** ProPS: numbers in, numbers out. */
export const props = defineMethod({
  id: 'props',
  title: 'ProPS: numeric search by one call, from parameters and rewards alone',
  about: 'Nothing is said of the environment or the policy, and no behaviour is shown; every proposal is kept.',
  stages: ['search', 'evaluate'],
  candidates: ['proposal'],
  prompts: { search: searchPrompt, critic: null },
  shows: [],
  keep: 'proposal',
  representative: 'first',
});
