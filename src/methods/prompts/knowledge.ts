/** What a prompt says of the environment and of the policy, as `prompt.knowledge` allows. */

import type { ActionSpace, ObservationSpace, Spaces } from '../../envs/env.ts';
import { describeEnvironment } from '../../envs/node/description.ts';
import { describePolicy } from '../../policies/description.ts';
import { policyKinds } from '../../policies/index.ts';
import type { Policy } from '../../policies/policy.ts';
import type { PromptContext } from '../method.ts';
import { section } from './sections.ts';

function namelessObservation(space: ObservationSpace): ObservationSpace {
  if (space.kind === 'discrete') return { ...space, meaning: 'the state' };
  return { ...space, rows: space.rows.map((row, i) => ({ ...row, name: `observation ${i}` })) };
}

function namelessAction(space: ActionSpace): ActionSpace {
  if (space.kind === 'discrete') return { ...space, meanings: space.meanings.map((_, i) => `action ${i}`) };
  return { ...space, rows: space.rows.map((row, i) => ({ ...row, name: `action ${i}` })) };
}

/** Observation and action with the names under which the prompts may show them. */
export function shownSpaces({ env, settings }: PromptContext): Spaces {
  if (settings.prompt.knowledge !== 'none') return env;
  return { observation: namelessObservation(env.observation), action: namelessAction(env.action) };
}

/** What is controlled, and what the parameters do. */
export function subjectSections(context: PromptContext): string[] {
  const { env, policy, settings } = context;
  const { knowledge } = settings.prompt;
  if (knowledge !== 'none') {
    return [
      section('Environment', [describeEnvironment(env, knowledge)]),
      section('Policy', [describePolicy(policy, env.action)]),
    ];
  }
  const spaces = shownSpaces(context);
  return [section('Policy', [describePolicy(namelessPolicy(policy, spaces), spaces.action)])];
}

/** The names of its parameters are made of those of the spaces. */
function namelessPolicy(policy: Policy, spaces: Spaces): Policy {
  const kind = policyKinds.find(({ id }) => id === policy.kind);
  return kind ? kind.build(spaces, policy.options) : policy;
}
