import { between } from '../base/schema-fields.ts';
import { cmaEs } from '../optimisers/cma-es/cma-es.ts';
import { defineMethod } from './method.ts';
import { centaurPrompt } from './prompts/hybrid-search.ts';
import { mostProposals } from './settings.ts';

/** After "Centaur", arXiv 2603.24647 (2026): the model sees the state of CMA-ES and makes a share of the proposals. */
export const centaur = defineMethod({
  id: 'centaur',
  title: 'Centaur: CMA-ES, in which the model proposes a share of each generation',
  about: 'The model sees mean, step size, principal axes and best trials; CMA-ES learns from its proposals, too.',
  optimiser: {
    unit: cmaEs,
    settings: {
      share: between(0.01, 0.99)
        .default(0.3)
        .describe(
          'share of each generation that the model proposes: at least one candidate, at most all but one, and at most ' +
            `${mostProposals}`,
        ),
    },
    unused: [],
  },
  stages: ['search', 'generation'],
  candidates: ['proposal'],
  prompts: { search: centaurPrompt, critic: null },
  shows: ['environment'],
  keep: 'best',
  representative: 'median',
});
