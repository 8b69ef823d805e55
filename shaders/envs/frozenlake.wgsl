// FrozenLake; the float64 twin is src/envs/frozenlake/dynamics.ts. The map has two bits per cell.

// words with one bit per cell: first for terminal cells, then for goals
const LAKE_WORDS: u32 = ENV_TABLE_SIZE / 2u;

fn lake_bit(first: u32, cell: f32) -> bool {
  var table = ENV_TABLE;
  let at = u32(cell);
  var word = table[first];
  for (var i = 1u; i < LAKE_WORDS; i++) {
    word = select(word, table[first + i], at / 32u == i);
  }
  return ((word >> (at % 32u)) & 1u) == 1u;
}

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(grid_start(p, rng));
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.cell);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let direction = grid_slip(p, action, rng);
  let along = vec2f(
    grid_is(direction, 1u) - grid_is(direction, 3u),
    grid_is(direction, 2u) - grid_is(direction, 0u),
  );
  let over = lake_bit(0u, s.cell);
  let next = select(grid_cell(p, grid_place(p, s.cell) + along), s.cell, over);
  let ended = lake_bit(0u, next);
  let reward = select(select(p.frozen_reward, p.hole_reward, ended), p.goal_reward, lake_bit(LAKE_WORDS, next));
  return Transition(EnvState(next), select(reward, 0.0, over), ended);
}
