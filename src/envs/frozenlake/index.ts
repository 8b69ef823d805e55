import { UsageError } from '../../base/errors.ts';
import { numberIn } from '../../base/option-rules.ts';
import type { Env } from '../env.ts';
import { gridParity, slipperyRule } from '../grid.ts';
import { envWithOptions, option, stepLimitRule } from '../options.ts';
import { lakeDynamics } from './dynamics.ts';
import { mapNames, readMap, readMapOptions } from './maps.ts';
import { lakePicture } from './picture.ts';

const id = 'FrozenLake-v1';
const source = 'gymnasium/envs/toy_text/frozen_lake.py, 1.4';
const wordBits = 32;
/** One bit per cell, 32 to a word, set where the map has one of these letters. */
function bits(cells: string, letters: string): number[] {
  return Array.from({ length: Math.ceil(cells.length / wordBits) }, (_, word) =>
    Array.from(cells.slice(word * wordBits, (word + 1) * wordBits)).reduce(
      (sum, letter, bit) => sum + (letters.includes(letter) ? 2 ** bit : 0),
      0,
    ),
  );
}

/** Rewards of a step to the goal, into a hole, and to any other cell. */
type RewardSchedule = readonly [goal: number, hole: number, frozen: number];

const defaultSchedule: RewardSchedule = [1, 0, 0];
const mostReward = 1e6;

/**
 * Smallest return of an episode that reaches the goal; where another end may give as much, the smallest one that only the goal
 * gives, if there is one.
 */
function leastOfSuccess(schedule: RewardSchedule, limit: number): number {
  const [goal, hole, frozen] = schedule;
  const highest = returnsWithin(schedule, limit)[1];
  const least = goal + Math.min(0, frozen) * (limit - 1);
  // Sums in f32 err by more than those in float64.
  const rounding = 1e-6 * Math.max(...[goal, hole, frozen * limit].map(Math.abs));
  const without = Math.max(hole + Math.max(0, frozen) * (limit - 1), frozen * limit);
  if (least > without + rounding) return frozen === 0 ? least : least - rounding;
  return Math.min(without + rounding, highest);
}

function returnsWithin(schedule: RewardSchedule, limit: number): readonly [number, number] {
  const [, , frozen] = schedule;
  const rounding = frozen === 0 ? 0 : 1e-6 * Math.max(...schedule.map(Math.abs)) * limit;
  const before = limit - 1;
  return [
    Math.min(0, frozen) * before + Math.min(...schedule) - rounding,
    Math.max(0, frozen) * before + Math.max(...schedule) + rounding,
  ];
}

/** Whole rewards are exact in f32; others are rounded once. */
function lakeParity(schedule: RewardSchedule): Env['parity'] {
  if (schedule.every((reward) => Math.fround(reward) === reward)) return gridParity;
  const singleStep = 2 ** -24 * Math.max(1, ...schedule.map(Math.abs));
  return { singleStep, reason: 'cells are small whole numbers; the reward of a step is rounded to f32 once' };
}

function derive(c: Readonly<Record<'columns' | 'successRate', number>>) {
  const aside = (1 - c.successRate) / 2;
  // The sums of the chances in the original's order: a draw below the first goes to the direction before.
  return { slipLeftBelow: aside, slipForwardBelow: aside + c.successRate, inverseColumns: 1 / c.columns };
}

const rules = {
  map: {
    fallback: '4x4' as string | readonly string[],
    meaning: 'a name or a list of rows of the letters S, F, H, G; also as "map_name" or "desc"',
    expected: `${mapNames.join(' or ')} or a list of rows`,
    // `readMap` says what is wrong with a map.
    fits: () => true,
    always: true,
  },
  is_slippery: slipperyRule(true),
  success_rate: option(numberIn(0, 1, 1 / 3), 'chance that a move goes where it should on slippery ice'),
  reward_schedule: {
    fallback: defaultSchedule,
    meaning: 'rewards of a step to the goal, into a hole, and to any other cell',
    expected: `a list of three numbers in ${-mostReward} ... ${mostReward}`,
    fits: (value: unknown) =>
      Array.isArray(value) && value.length === 3 && value.every((x) => Number.isFinite(x) && Math.abs(x) <= mostReward),
  },
  max_episode_steps: stepLimitRule(100),
};

export const frozenlake = envWithOptions(
  id,
  rules,
  (values) => {
    const {
      is_slippery: slippery,
      success_rate: successRate,
      reward_schedule: schedule,
      max_episode_steps: limit,
    } = values;
    if (!slippery && successRate !== rules.success_rate.fallback) {
      const remedy = 'remove it, or set is_slippery to true';
      throw new UsageError(
        id,
        `expected no option "success_rate" with "is_slippery" false, got ${successRate}; ${remedy}`,
      );
    }
    const [goal, hole, frozen] = schedule;
    const map = readMap(values.map);
    const cells = map.join('');
    return {
      folder: 'frozenlake',
      groundTruth: 'Gymnasium 1.4 (main, 3f0476a8)',
      state: [
        { name: 'cell', meaning: 'row x columns + column of the cell', unit: 'cell', low: 0, high: cells.length - 1 },
      ],
      observation: { kind: 'discrete', n: cells.length, meaning: 'the cell: row x number of columns + column' },
      action: { kind: 'discrete', meanings: ['left', 'down', 'right', 'up'] },
      constants: {
        rows: { value: map.length, unit: 'cells', source, allowed: 'fixed' },
        columns: { value: map[0]!.length, unit: 'cells', source, allowed: 'fixed' },
        startCell: { value: cells.indexOf('S'), unit: 'cell', source, allowed: 'fixed' },
        slippery: { value: slippery ? 1 : 0, unit: '1 if a move may go aside', source, allowed: 'fixed' },
        successRate: {
          value: successRate,
          unit: 'chance that a move goes where it should',
          source,
          allowed: slippery ? 'share' : 'fixed',
        },
        goalReward: { value: goal, unit: 'at the goal', source, allowed: 'any' },
        holeReward: { value: hole, unit: 'in a hole', source, allowed: 'any' },
        frozenReward: { value: frozen, unit: 'per other step', source, allowed: 'any' },
      },
      derive,
      exact: ['slipLeftBelow', 'slipForwardBelow'],
      // Cells that end an episode, then those of them that are goals.
      table: [...bits(cells, 'HG'), ...bits(cells, 'G')],
      libraries: ['grid'],
      stepDraws: slippery ? 1 : 0,
      timeLimit: limit,
      success: { threshold: leastOfSuccess(schedule, limit), source: 'the goal was reached' },
      returnRange: returnsWithin(schedule, limit),
      parity: lakeParity(schedule),
      picture: lakePicture(map),
      grid: map,
      stepCost: { cpu: 36, wasm: 12, compile: 130 },
      dynamics: lakeDynamics(map),
    };
  },
  readMapOptions,
);
