import { defineMethod } from './method.ts';
import { searchPrompt } from './prompts/search.ts';

/** Ablation: a second search instead of a critic. */
export const actorSecondPass = defineMethod({
  id: 'actor-second-pass',
  title: 'ActorSecondPass: a second search that knows the reward of the first proposal',
  about: 'The second call finds the first proposal and its mean as the last line of its history; the better is kept.',
  stages: ['search', 'evaluate', 'search', 'evaluate'],
  candidates: ['proposal', 'revision'],
  prompts: { search: searchPrompt, critic: null },
  shows: [],
  keep: 'best',
  representative: 'mean',
});
