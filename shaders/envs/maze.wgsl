// A maze of nine cells; the float64 twin is src/envs/maze/dynamics.ts. The table has one bit per cell and direction.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(0.0, 0.0, 0.0);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.row * p.columns + s.column);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let north_south = select(ENV_TABLE[0], ENV_TABLE[1], action == 1u);
  let east_west = select(ENV_TABLE[2], ENV_TABLE[3], action == 3u);
  let passages = select(north_south, east_west, action > 1u);
  let is_open = (passages >> u32(s.row * p.columns + s.column)) & 1u;
  let along = select(-1.0, 1.0, action == 1u || action == 2u) * f32(is_open);
  let next = EnvState(
    s.column + select(0.0, along, action > 1u),
    s.row + select(along, 0.0, action > 1u),
    s.step_count + 1.0,
  );
  let arrived = next.column == p.goal_column && next.row == p.goal_row;
  // At its own step limit the original does not terminate at the goal, but gives the reward.
  return Transition(next, select(p.step_reward, p.goal_reward, arrived), arrived && next.step_count < p.step_limit);
}
