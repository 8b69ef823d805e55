// MountainCar in f32; the float64 twin is src/envs/mountaincar/dynamics.ts.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(rng_uniform(rng, p.reset_low, p.reset_high), 0.0);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.position, s.velocity);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let push = (f32(action) - 1.0) * p.force;
  let faster = s.velocity + (push - p.gravity * trig_cos(p.hill_frequency * s.position));
  let velocity = clamp(faster, -p.max_speed, p.max_speed);
  let position = clamp(s.position + velocity, p.min_position, p.max_position);
  // inelastic left wall; no right wall
  let at_wall = position == p.min_position && velocity < 0.0;
  let next = EnvState(position, select(velocity, 0.0, at_wall));
  return Transition(next, -1.0, position >= p.goal_position && velocity >= p.goal_speed);
}
