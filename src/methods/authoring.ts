/**
 * The imports of a file that defines a method of the user's own: `import { defineMethod } from 'r2po-webgpu/method'`. With
 * the methods and prompts of this package, to change a part of one, and the sections that prompts are made of.
 */
import { checkMethod } from './check-method.ts';
import { defineMethod as define, type Method } from './method.ts';

export { UsageError } from '../base/errors.ts';
export { cmaEs, sepCmaEs } from '../optimisers/cma-es/cma-es.ts';
export { hillClimbing } from '../optimisers/hill-climbing.ts';
export { actorSecondPass } from './actor-second-pass.ts';
export { alwaysCritic } from './always-critic.ts';
export { centaur } from './centaur.ts';
export { criticOnly } from './critic-only.ts';
export { esCritic } from './es-critic.ts';
export type {
  CriticContext,
  Evaluation,
  IterationContext,
  Measured,
  Method,
  MethodOptimiser,
  PastTrial,
  Prompt,
  PromptContent,
  PromptContext,
  PromptParts,
  Stage,
  Trial,
} from './method.ts';
export { episodeCritic, statisticsCritic, threeEpisodesCritic } from './prompts/critic.ts';
export { describedSearchPrompt, selfCriticPrompt } from './prompts/described-search.ts';
export { excerptText, trajectoryText } from './prompts/episode-text.ts';
export { historyWithEpisodes, trialHistory } from './prompts/history.ts';
export { centaurPrompt, tunedPrompt } from './prompts/hybrid-search.ts';
export { subjectSections } from './prompts/knowledge.ts';
export { freshSearch, searchPrompt, searchRules } from './prompts/search.ts';
export {
  formatSection,
  indexedParameters,
  measuredLine,
  parameterSection,
  progressSection,
  section,
} from './prompts/sections.ts';
export { props } from './props.ts';
export { propsPlus } from './props-plus.ts';
export { pureSearch } from './pure-search.ts';
export { r2po } from './r2po.ts';
export { reptraj } from './reptraj.ts';
export { tauC } from './tau-c.ts';
export { threeTraj } from './three-traj.ts';
export { tuned } from './tuned.ts';

/**
 * Defines a method: a record of stages, candidates and prompts, which the interpreter of this package plays. Throws when a
 * field is missing, has the wrong form, or contradicts another one; the message names every such field.
 */
export function defineMethod(method: Omit<Method, 'kind'>): Method {
  checkMethod(method);
  return define(method);
}
