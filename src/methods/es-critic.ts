import { cmaEs } from '../optimisers/cma-es/cma-es.ts';
import { defineMethod } from './method.ts';
import { statisticsCritic } from './prompts/critic.ts';

/** R2PO with an optimiser in place of the search. */
export const esCritic = defineMethod({
  id: 'es-critic',
  title: 'ES-Critic: CMA-ES proposes, and the critic of R2PO revises the best candidate of each generation',
  about: 'The critic sees statistics and the median episode; a kept revision takes a place in the next generation.',
  optimiser: { unit: cmaEs, settings: {}, unused: [] },
  stages: ['generation', 'critic', 'evaluate'],
  candidates: ['proposal', 'revision'],
  prompts: { search: null, critic: statisticsCritic },
  shows: ['environment', 'statistics', 'threshold', 'episodes'],
  keep: 'best',
  representative: 'median',
});
