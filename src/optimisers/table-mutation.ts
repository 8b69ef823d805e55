/** Mutation of tables of actions. */
import type { Draws } from '../base/rng/draws.ts';
import type { ChoiceSpace } from './space.ts';

/** A copy in which each entry has another value with probability `rate`, and at least one entry does. */
export function mutatedTable(table: Float64Array, { values }: ChoiceSpace, rate: number, rng: Draws): Float64Array {
  if (values.length < 2) return table.slice();
  const another = (value: number): number => {
    const others = values.filter((candidate) => candidate !== value);
    return others[rng.choice(others.length)]!;
  };
  const mutated = table.map((value) => (rng.random() < rate ? another(value) : value));
  if (mutated.some((value, i) => value !== table[i])) return mutated;
  const at = rng.choice(table.length);
  mutated[at] = another(table[at]!);
  return mutated;
}
