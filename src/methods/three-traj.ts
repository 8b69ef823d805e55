import { defineMethod } from './method.ts';
import { threeEpisodesCritic } from './prompts/critic.ts';
import { searchPrompt } from './prompts/search.ts';

/** Ablation: three trajectories. */
export const threeTraj = defineMethod({
  id: 'three-traj',
  title: 'ThreeTraj: as R2PO, but the critic sees the worst, the median and the best episode and no statistics',
  about: 'Each episode is shown with its first and last 25 steps.',
  stages: ['search', 'evaluate', 'critic', 'evaluate'],
  candidates: ['proposal', 'revision'],
  prompts: { search: searchPrompt, critic: threeEpisodesCritic },
  shows: ['environment'],
  keep: 'best',
  representative: 'mean',
});
