// Pendulum in f32; the float64 twin is src/envs/pendulum/dynamics.ts. The angle is never wrapped in the state; at the
// 80 rad that an episode can reach, its f32 rounding is 4e-6 rad.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  let theta = rng_uniform(rng, p.reset_angle_low, p.reset_angle_high);
  let theta_dot = rng_uniform(rng, p.reset_speed_low, p.reset_speed_high);
  return EnvState(theta, theta_dot);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  let sincos = trig_sincos(s.theta);
  return Obs(sincos.y, sincos.x, s.theta_dot);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let torque = clamp(action[0], -p.max_torque, p.max_torque);
  let tilt = trig_wrap(s.theta);
  // The cost depends on the state before the step.
  let cost = tilt * tilt + p.speed_cost * (s.theta_dot * s.theta_dot) + p.torque_cost * (torque * torque);
  let faster = s.theta_dot + (p.gravity_gain * trig_sin(s.theta) + p.torque_gain * torque) * p.time_step;
  let theta_dot = clamp(faster, -p.max_speed, p.max_speed);
  return Transition(EnvState(s.theta + theta_dot * p.time_step, theta_dot), -cost, false);
}
