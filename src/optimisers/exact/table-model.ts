/** The table of transitions of an environment with numbered observations and actions, read off its dynamics. */
import { UsageError } from '../../base/errors.ts';
import type { Draws } from '../../base/rng/draws.ts';
import { checkRange } from '../../base/rng/generator.ts';
import { type Env, stateArraySize } from '../../envs/env.ts';

/** An environment as a finite Markov decision process. */
export interface TableModel {
  /** states that an episode can reach within its step limit */
  readonly states: number;
  /** whether no other state can be reached without a limit; an environment may count its steps */
  readonly isClosed: boolean;
  /** numbers of the actions that a policy may choose */
  readonly actions: readonly number[];
  /** number of the observation in each state `[states]` */
  readonly observed: Int32Array;
  readonly observations: number;
  /** probability of each state at the start of an episode `[states]` */
  readonly starts: Float64Array;
  /** where the outcomes of (state, action) begin, `[states x actions + 1]` */
  readonly from: Int32Array;
  /** of each outcome: its probability, its reward, and the next state; -1: the episode has ended */
  readonly probability: Float64Array;
  readonly reward: Float64Array;
  readonly next: Int32Array;
}

const maxStates = 100_000;
/**
 * Parts of [0, 1) in which a draw is tried before the borders between outcomes are searched: an outcome that only numbers
 * inside of one part have is not found. More parts where they cost less: a start is drawn once, a step from each state,
 * and a later draw behind each result of the first.
 */
const parts = { start: 4096, step: 256, later: 64 };
/** Borders between the outcomes of one draw. */
const maxBorders = 2000;
/** Draws are multiples of 2^-53: halving goes no further than between the doubles around that. */
const smallest = 2 ** -106;

/** Another draw is asked for than those that are given. */
class OpenDraw extends Error {
  /** number of equally likely results; null: a number in [0, 1) */
  readonly choices: number | null;

  constructor(choices: number | null) {
    super();
    this.choices = choices;
  }
}

/** Gives out chosen results: the number of a choice, or a number in [0, 1). */
class GivenDraws implements Draws {
  readonly #given: readonly number[];
  #position = 0;

  constructor(given: readonly number[]) {
    this.#given = given;
  }

  #take(choices: number | null): number {
    if (this.#position >= this.#given.length) throw new OpenDraw(choices);
    return this.#given[this.#position++]!;
  }

  random(): number {
    return this.#take(null);
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  integers(low: number, high: number): number {
    checkRange(low, high);
    return high - low === 1 ? low : low + this.#take(high - low);
  }

  choice(n: number): number {
    return this.integers(0, n);
  }

  standardNormal(): number {
    throw endlessResults('a normal draw');
  }
}

function endlessResults(got: string): UsageError {
  return new UsageError(
    'solve',
    `expected an environment whose draws have finitely many results, got ${got}; use an optimiser such as cem`,
  );
}

function notRepeatable(): UsageError {
  return new UsageError(
    'solve',
    'expected dynamics that do the same for the same state, action and draws, got two results; ' +
      'draw from the generator that they get, not from Math.random',
  );
}

/** Results by their names, with their probabilities. */
type Distribution<T> = Map<string, { readonly value: T; probability: number }>;

function add<T>(into: Distribution<T>, key: string, value: T, probability: number): void {
  const known = into.get(key);
  if (known) known.probability += probability;
  else into.set(key, { value, probability });
}

/** All results of a function of draws; `name` tells results apart; `first`: the parts of its first draw. */
function resultsOf<T>(play: (draws: Draws) => T, name: (value: T) => string, first: number): Distribution<T> {
  const explore = (given: readonly number[]): Distribution<T> => {
    const found: Distribution<T> = new Map();
    try {
      const value = play(new GivenDraws(given));
      const key = name(value);
      // Once is enough: other dynamics are found out in one state or another.
      if (given.every((draw) => draw === 0) && name(play(new GivenDraws(given))) !== key) throw notRepeatable();
      add(found, key, value, 1);
      return found;
    } catch (open) {
      if (!(open instanceof OpenDraw)) throw open;
      const tried = given.length === 0 ? first : parts.later;
      for (const { draw, probability } of branches(open.choices, tried, (value) => explore([...given, value]))) {
        for (const [key, result] of draw) add(found, key, result.value, probability * result.probability);
      }
      return found;
    }
  };
  return explore([]);
}

interface Branch<T> {
  readonly draw: Distribution<T>;
  readonly probability: number;
}

function signature<T>(results: Distribution<T>): string {
  return JSON.stringify([...results].map(([key, { probability }]) => [key, probability]));
}

/** Results behind each choice, or behind the numbers between two borders, of which `tried` parts are tried. */
function branches<T>(choices: number | null, tried: number, explore: (value: number) => Distribution<T>): Branch<T>[] {
  if (choices !== null) {
    return Array.from({ length: choices }, (_, i) => ({ draw: explore(i), probability: 1 / choices }));
  }
  // What follows is the same between two borders, which are found by halving.
  const found: Branch<T>[] = [];
  let start = 0;
  let current = explore(0);
  let known = signature(current);
  for (let part = 1; part <= tried; part++) {
    let low = (part - 1) / tried;
    const end = part === tried ? 1 - 2 ** -53 : part / tried;
    while (signature(explore(end)) !== known) {
      if (found.length >= maxBorders) throw endlessResults(`a draw from [0, 1) with more than ${maxBorders}`);
      let high = end;
      low = Math.max(low, start);
      while (true) {
        const middle = (low + high) / 2;
        if (middle <= low || middle >= high || high - low < smallest) break;
        if (signature(explore(middle)) === known) low = middle;
        else high = middle;
      }
      found.push({ draw: current, probability: high - start });
      start = high;
      current = explore(high);
      known = signature(current);
    }
  }
  found.push({ draw: current, probability: 1 - start });
  return found;
}

/** The transitions within the step limit of an environment, or within a lower one of ours; null: there is no lower one. */
export function stepTable(env: Env, maxSteps: number | null): { readonly model: TableModel; readonly limit: number } {
  const limit = Math.min(env.timeLimit ?? Number.POSITIVE_INFINITY, maxSteps ?? Number.POSITIVE_INFINITY);
  return { model: tableModel(env, limit), limit };
}

/**
 * The states and transitions of `limit` steps. Throws a usage error for an environment that is no table, has more than
 * `mostStates`, or a reward that is infinite or NaN.
 */
export function tableModel(env: Env, limit: number, mostStates = maxStates): TableModel {
  const { observation, action, dynamics, params } = env;
  if (observation.kind !== 'discrete' || action.kind !== 'discrete') {
    throw new UsageError(
      'solve',
      `expected an environment with numbered observations and actions, got ${env.id}; use an optimiser such as cma-es`,
    );
  }
  const actions = action.meanings.map((_, i) => i).filter((i) => !action.againstRules?.includes(i));
  const size = stateArraySize(env);
  const nameOf = (state: Float64Array): string => state.join(' ');
  const numbers = new Map<string, number>();
  const list: Float64Array[] = [];
  /** least number of steps to each state */
  const depths: number[] = [];
  const numberOf = (state: Float64Array, depth: number): number => {
    const name = nameOf(state);
    const known = numbers.get(name);
    if (known !== undefined) return known;
    if (list.length >= mostStates) {
      throw new UsageError('solve', `expected at most ${mostStates} states of ${env.id}, got more`);
    }
    numbers.set(name, list.length);
    list.push(state);
    depths.push(depth);
    return list.length - 1;
  };
  const first = resultsOf(
    (draws) => {
      const state = new Float64Array(size);
      dynamics.reset(params, draws, state);
      return state;
    },
    nameOf,
    parts.start,
  );
  const startsOf = [...first.values()].map(({ value, probability }) => ({ state: numberOf(value, 0), probability }));
  const from: number[] = [0];
  const outcomes: { readonly probability: number; readonly reward: number; readonly next: number }[] = [];
  for (let number = 0; number < list.length; number++) {
    const depth = depths[number]!;
    for (const chosen of actions) {
      // The episode ends there.
      if (depth >= limit) {
        from.push(outcomes.length);
        continue;
      }
      const results = resultsOf(
        (draws) => {
          const state = list[number]!.slice();
          const out = { reward: 0, terminated: false };
          dynamics.step(params, state, Float64Array.of(chosen), draws, out);
          return { state, ...out };
        },
        ({ state, reward, terminated }) => `${reward} ${terminated ? 'end' : nameOf(state)}`,
        parts.step,
      );
      for (const { value, probability } of results.values()) {
        const { state, reward, terminated } = value;
        if (!Number.isFinite(reward)) {
          const where = `action ${chosen} in the state ${nameOf(list[number]!)}`;
          throw new UsageError(
            'solve',
            `expected finite rewards of ${env.id}, got ${reward} for ${where}; mend the environment`,
          );
        }
        outcomes.push({ probability, reward, next: terminated ? -1 : numberOf(state, depth + 1) });
      }
      from.push(outcomes.length);
    }
  }
  const observe = (state: Float64Array): number => {
    const seen = new Float64Array(1);
    dynamics.observe(params, state, seen);
    return seen[0]!;
  };
  const starts = new Float64Array(list.length);
  for (const { state, probability } of startsOf) starts[state]! += probability;
  return {
    states: list.length,
    isClosed: depths.every((depth) => depth < limit),
    actions,
    observed: Int32Array.from(list, (state) => {
      const number = observe(state);
      if (!Object.is(observe(state), number)) throw notRepeatable();
      if (Number.isInteger(number) && number >= 0 && number < observation.n) return number;
      throw new UsageError(
        'solve',
        `expected an observation in 0 ... ${observation.n - 1} of ${env.id}, got ${number} in the state ${nameOf(state)}; mend the environment`,
      );
    }),
    observations: observation.n,
    starts,
    from: Int32Array.from(from),
    probability: Float64Array.from(outcomes, ({ probability }) => probability),
    reward: Float64Array.from(outcomes, ({ reward }) => reward),
    next: Int32Array.from(outcomes, ({ next }) => next),
  };
}
