// Acrobot in f32; the float64 twin is src/envs/acrobot/dynamics.ts. The two equations of motion are solved by Cramer's
// rule, whose determinant is far from zero: one division per evaluation instead of four. The sine of theta1 + theta2
// comes from the sines and cosines of the two.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  // A loop, because compilers inline every call.
  var s: vec4f;
  for (var i = 0u; i < 4u; i++) {
    s[i] = rng_uniform(rng, p.reset_low, p.reset_high);
  }
  return EnvState(s.x, s.y, s.z, s.w);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  let upper = trig_sincos(s.theta1);
  let lower = trig_sincos(s.theta2);
  return Obs(upper.y, upper.x, lower.y, lower.x, s.theta1_dot, s.theta2_dot);
}

// Angular accelerations for the angles `theta` and the velocities `dot`.
fn acrobot_acceleration(p: EnvParams, torque: f32, theta: vec2f, dot: vec2f) -> vec2f {
  let upper = trig_sincos(theta.x);
  let lower = trig_sincos(theta.y);
  let coupling_cos = p.coupling * lower.y;
  let coupling_sin = p.coupling * lower.x;
  let d1 = p.bent_inertia + 2.0 * coupling_cos;
  let d2 = p.lower_inertia + coupling_cos;
  let phi2 = p.lower_weight * (upper.x * lower.y + upper.y * lower.x);
  let phi1 = p.upper_weight * upper.x + phi2 - coupling_sin * dot.y * (dot.y + 2.0 * dot.x);
  let drive = torque - coupling_sin * dot.x * dot.x - phi2;
  let scale = 1.0 / (p.determinant - coupling_cos * coupling_cos);
  return vec2f(-(p.lower_inertia * phi1 + d2 * drive), d1 * drive + d2 * phi1) * scale;
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let torque = (f32(action) - 1.0) * p.torque;
  let h = p.time_step;
  let theta = vec2f(s.theta1, s.theta2);
  // Velocities and accelerations of the four Runge-Kutta stages.
  let v1 = vec2f(s.theta1_dot, s.theta2_dot);
  let a1 = acrobot_acceleration(p, torque, theta, v1);
  let v2 = v1 + 0.5 * h * a1;
  let a2 = acrobot_acceleration(p, torque, theta + 0.5 * h * v1, v2);
  let v3 = v1 + 0.5 * h * a2;
  let a3 = acrobot_acceleration(p, torque, theta + 0.5 * h * v2, v3);
  let v4 = v1 + h * a3;
  let a4 = acrobot_acceleration(p, torque, theta + h * v3, v4);
  let moved = theta + h / 6.0 * (v1 + 2.0 * v2 + 2.0 * v3 + v4);
  let faster = v1 + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4);
  let next = EnvState(
    trig_wrap(moved.x),
    trig_wrap(moved.y),
    clamp(faster.x, -p.max_speed1, p.max_speed1),
    clamp(faster.y, -p.max_speed2, p.max_speed2),
  );
  let upper = trig_sincos(next.theta1);
  let lower = trig_sincos(next.theta2);
  let height = -p.link_length1 * upper.y - p.link_length2 * (upper.y * lower.y - upper.x * lower.x);
  let terminated = height > p.goal_height;
  return Transition(next, select(-1.0, 0.0, terminated), terminated);
}
