import { defineMethod } from './method.ts';
import { selfCriticPrompt } from './prompts/described-search.ts';

/** Ablation: proposing and reviewing in one call, so there is no proposal to review in a second one. */
export const criticOnly = defineMethod({
  id: 'critic-only',
  title: 'CriticOnly: one call that sees the latest episode and criticises its own draft',
  about: 'It knows the environment and sees excerpts of the last trials; every proposal is kept.',
  stages: ['search', 'evaluate'],
  candidates: ['proposal'],
  prompts: { search: selfCriticPrompt, critic: null },
  shows: ['environment', 'episodes', 'excerpts'],
  keep: 'proposal',
  representative: 'mean',
});
