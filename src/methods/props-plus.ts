import { defineMethod } from './method.ts';
import { describedSearchPrompt } from './prompts/described-search.ts';
import { props } from './props.ts';

/** ProPS+: ProPS that knows the environment and the policy. */
export const propsPlus = defineMethod({
  ...props,
  id: 'props-plus',
  title: 'ProPS+: ProPS with the environment and the policy described',
  about:
    'For tables of actions the history also shows an episode of each trial, the newest first, as far as the budget goes.',
  prompts: { search: describedSearchPrompt, critic: null },
  shows: ['environment', 'episodes of tables'],
});
