// MountainCarContinuous in f32; the float64 twin is src/envs/mountaincar-continuous/dynamics.ts. The state of
// the original is f32 too, so no precision is lost from step to step.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(rng_uniform(rng, p.reset_low, p.reset_high), 0.0);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.position, s.velocity);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let force = clamp(action[0], -p.max_action, p.max_action);
  let faster = s.velocity + (force * p.power - p.gravity * trig_cos(p.hill_frequency * s.position));
  let velocity = clamp(faster, -p.max_speed, p.max_speed);
  let position = clamp(s.position + velocity, p.min_position, p.max_position);
  // inelastic left wall; no right wall
  let at_wall = position == p.min_position && velocity < 0.0;
  let next = EnvState(position, select(velocity, 0.0, at_wall));
  let terminated = position >= p.goal_position && velocity >= p.goal_speed;
  // The cost uses the given action, not the clipped one.
  let reward = select(0.0, p.goal_reward, terminated) - action[0] * action[0] * p.action_cost;
  return Transition(next, reward, terminated);
}
