import { defineMethod } from './method.ts';
import { episodeCritic } from './prompts/critic.ts';
import { searchPrompt } from './prompts/search.ts';

/** Ablation: one representative trajectory. */
export const reptraj = defineMethod({
  id: 'reptraj',
  title: 'RepTraj: as R2PO, but the critic sees one episode and no statistics',
  about: 'The episode is the one closest to the mean return; the last trials are shown with excerpts of theirs.',
  stages: ['search', 'evaluate', 'critic', 'evaluate'],
  candidates: ['proposal', 'revision'],
  prompts: { search: searchPrompt, critic: episodeCritic },
  shows: ['environment', 'episodes', 'excerpts'],
  keep: 'best',
  representative: 'mean',
});
