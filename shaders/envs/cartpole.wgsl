// CartPole in f32; the float64 twin is src/envs/cartpole/dynamics.ts. The host folds divisions by the total mass into
// derived factors, so one division per step remains.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  // A loop, because compilers inline every call.
  var s: vec4f;
  for (var i = 0u; i < 4u; i++) {
    s[i] = rng_uniform(rng, p.reset_low, p.reset_high);
  }
  return EnvState(s.x, s.y, s.z, s.w);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.x, s.x_dot, s.theta, s.theta_dot);
}

// An episode ends when the angle exceeds the limit 0.2094; a single step may start from any angle.
fn pole_sincos(theta: f32) -> vec2f {
  if (FROM_ANY_STATE) {
    return trig_sincos_near(theta);
  }
  return trig_sincos_within(theta);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let force = select(-p.force_per_mass, p.force_per_mass, action == 1u);
  let sincos = pole_sincos(s.theta);
  let temp = force + p.pole_length_share * (s.theta_dot * s.theta_dot) * sincos.x;
  let theta_acc = (p.gravity * sincos.x - sincos.y * temp)
    / (p.rod_inertia_length - p.pole_length_share * (sincos.y * sincos.y));
  let x_acc = temp - p.pole_length_share * theta_acc * sincos.y;
  // Explicit Euler: positions change with the old velocities.
  let next = EnvState(
    s.x + p.time_step * s.x_dot,
    s.x_dot + p.time_step * x_acc,
    s.theta + p.time_step * s.theta_dot,
    s.theta_dot + p.time_step * theta_acc,
  );
  let terminated = abs(next.x) > p.position_limit || abs(next.theta) > p.angle_limit;
  return Transition(next, select(p.step_reward, p.fall_reward, terminated), terminated);
}
