/** Tabular policy: one action per numbered state; a parameter is the number of the action. */
import { UsageError } from '../base/errors.ts';
import { readOptions } from '../base/option-rules.ts';
import type { ActionSpace } from '../envs/env.ts';
import { chosenValue, definePolicyKind, type Policy } from './policy.ts';

/** The numbers of the actions that a policy may choose. */
function allowedActions(action: ActionSpace & { kind: 'discrete' }): number[] {
  return action.meanings.map((_, i) => i).filter((i) => !action.againstRules?.includes(i));
}

export const tabular = definePolicyKind({
  id: 'tabular',
  title: 'a table with one action per state',

  accepts({ observation, action }) {
    if (observation.kind !== 'discrete') return 'it looks its action up by a numbered state, and this one has a vector';
    return action.kind === 'discrete' ? null : 'it chooses one of the numbered actions, and this one has a box of them';
  },

  build({ observation, action }, options): Policy {
    readOptions('tabular', options, {});
    const states = observation.kind === 'discrete' ? observation.n : 0;
    const actions = action.kind === 'discrete' ? allowedActions(action) : [];
    return {
      kind: 'tabular',
      options: {},
      paramCount: states,
      paramNames: Array.from({ length: states }, (_, state) => `action in state ${state}`),
      values: { kind: 'choice', values: actions },
      output: 'action',
      outputCount: 1,
      shaderConstants: {},
      expansion: { count: states, expand: (params) => params.map(chosenValue) },

      act(table, obs, out) {
        const chosen = table[obs[0]!];
        // Only an environment of the user may give a number beyond its states, and would be played with no action at all.
        if (chosen === undefined) {
          throw new UsageError(
            'tabular',
            `expected an observation in 0 ... ${states - 1}, got ${obs[0]}; mend the environment`,
          );
        }
        out[0] = chosen;
      },

      sample: (rng) => Float64Array.from({ length: states }, () => actions[rng.integers(0, actions.length)]!),
    };
  },
});
