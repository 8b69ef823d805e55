// InvertedPendulum in f32; the float64 twin is src/envs/inverted-pendulum/dynamics.ts. Pairs are (cart, pole).

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  // A loop, because compilers inline every call.
  var s: vec4f;
  for (var i = 0u; i < 4u; i++) {
    s[i] = rng_uniform(rng, p.reset_low, p.reset_high);
  }
  return EnvState(s.x, s.y, s.z, s.w);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.x, s.theta, s.x_dot, s.theta_dot);
}

fn pendulum_acceleration(p: EnvParams, q: vec2f, v: vec2f, push: f32) -> vec2f {
  let sincos = trig_sincos(q.y);
  // The pole's mass times the offset of its centre from the hinge.
  let moment_x = p.pole_moment_x * sincos.y + p.pole_moment_z * sincos.x;
  let moment_z = p.pole_moment_z * sincos.y - p.pole_moment_x * sincos.x;
  let drive = vec2f(push + moment_x * v.y * v.y, p.gravity * moment_x) - p.damping * v;
  let rail = limit_row(p, q.x, v.x, -p.rail_limit, p.rail_limit, p.limit_margin, p.rail_inverse_weight);
  let hinge = limit_row(p, q.y, v.y, -p.hinge_limit, p.hinge_limit, p.limit_margin, p.hinge_inverse_weight);
  return limited_pair(vec3f(p.total_mass, moment_z, p.hinge_inertia), drive, rail, hinge);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let push = p.gear * clamp(action[0], -p.control_limit, p.control_limit);
  var q = vec2f(s.x, s.theta);
  var v = vec2f(s.x_dot, s.theta_dot);
  let substeps = u32(p.substeps);
  for (var i = 0u; i < substeps; i++) {
    let a1 = pendulum_acceleration(p, q, v, push);
    let v2 = v + 0.5 * p.time_step * a1;
    let a2 = pendulum_acceleration(p, q + 0.5 * p.time_step * v, v2, push);
    let v3 = v + 0.5 * p.time_step * a2;
    let a3 = pendulum_acceleration(p, q + 0.5 * p.time_step * v2, v3, push);
    let v4 = v + p.time_step * a3;
    let a4 = pendulum_acceleration(p, q + p.time_step * v3, v4, push);
    q += p.time_step / 6.0 * (v + 2.0 * (v2 + v3) + v4);
    v += p.time_step / 6.0 * (a1 + 2.0 * (a2 + a3) + a4);
  }
  // A NaN or infinity in any entry spreads to all entries within a step and fails this comparison.
  let upright = abs(q.y) <= p.angle_limit;
  return Transition(EnvState(q.x, q.y, v.x, v.y), select(0.0, 1.0, upright), !upright);
}
