import { whole } from '../base/schema-fields.ts';
import { hillClimbing } from '../optimisers/hill-climbing.ts';
import { defineMethod } from './method.ts';
import { tunedPrompt } from './prompts/hybrid-search.ts';

/** Each proposal gets a few episodes of hill climbing before it is compared. */
export const tuned = defineMethod({
  id: 'tuned',
  title: 'Tuned: hill climbing refines each proposal of the model; the better of the two is kept',
  about: 'The refinement has a stated number of episodes, on other seeds; the model sees what came of its proposals.',
  optimiser: {
    unit: hillClimbing,
    settings: {
      episodes: whole(1, Number.MAX_SAFE_INTEGER)
        .default(60)
        .describe('episodes of each refinement; a generation that would take more is not played'),
      candidate_episodes: whole(1, 1_000_000)
        .default(2)
        .describe('episodes of each candidate of a refinement; those of a generation are the same ones'),
    },
    unused: ['start'],
  },
  stages: ['search', 'evaluate', 'refine', 'evaluate'],
  candidates: ['proposal', 'refinement'],
  prompts: { search: tunedPrompt, critic: null },
  shows: ['environment', 'episodes of tables'],
  keep: 'best',
  representative: 'median',
});
