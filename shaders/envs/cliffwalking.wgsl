// CliffWalking; the float64 twin is src/envs/cliffwalking/dynamics.ts.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(grid_start(p, rng));
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.cell);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let direction = grid_slip(p, action, rng);
  let along = vec2f(
    grid_is(direction, 2u) - grid_is(direction, 0u),
    grid_is(direction, 1u) - grid_is(direction, 3u),
  );
  let next = grid_cell(p, grid_place(p, s.cell) + along);
  let fallen = next > p.start_cell && next < p.goal_cell;
  return Transition(
    EnvState(select(next, p.start_cell, fallen)),
    select(p.step_reward, p.cliff_reward, fallen),
    next == p.goal_cell,
  );
}
