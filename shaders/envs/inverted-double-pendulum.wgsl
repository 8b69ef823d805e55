// InvertedDoublePendulum in f32; the float64 twin is src/envs/inverted-double-pendulum/dynamics.ts. Triples are (cart,
// lower pole, upper pole).

struct PendulumRate {
  acceleration: vec3f,
  rail_force: f32,
}

fn pendulum_rate(p: EnvParams, q: vec3f, v: vec3f, push: f32) -> PendulumRate {
  let first = trig_sincos(q.y);
  let second = trig_sincos(q.y + q.z);
  let between = trig_sincos(q.z);
  let turning1 = v.y * v.y;
  let turning2 = (v.y + v.z) * (v.y + v.z);
  // Mass matrix: row and column of the cart (total, b1, b2), and the block of the poles.
  let b2 = p.upper_moment * second.y;
  let b1 = p.lower_moment * first.y + b2;
  let coupling = p.coupling * between.y;
  let c12 = coupling + p.upper_inertia;
  let c11 = p.lower_inertia + coupling + c12;
  let c22 = p.upper_inertia;
  let swing = p.coupling * between.x;
  let cart_drive = push + p.lower_moment * first.x * turning1 + p.upper_moment * second.x * turning2
    + p.total_mass * p.side_gravity - p.damping * v.x;
  let lower = swing * turning2 + p.lower_moment * (p.side_gravity * first.y + p.gravity * first.x);
  let upper = -swing * turning1 + p.upper_moment * (p.side_gravity * second.y + p.gravity * second.x);
  let drive1 = lower + upper - p.damping * v.y;
  let drive2 = upper - p.damping * v.z;
  // Eliminating the poles leaves a cart with another mass.
  let inverse = 1.0 / (c11 * c22 - c12 * c12);
  let free1 = (c22 * drive1 - c12 * drive2) * inverse;
  let free2 = (c11 * drive2 - c12 * drive1) * inverse;
  let yield1 = (c22 * b1 - c12 * b2) * inverse;
  let yield2 = (c11 * b2 - c12 * b1) * inverse;
  let mass = p.total_mass - b1 * yield1 - b2 * yield2;
  let drive = cart_drive - b1 * free1 - b2 * free2;
  let rail = limit_row(p, q.x, v.x, -p.rail_limit, p.rail_limit, p.rail_margin, p.rail_inverse_weight);
  let force = limit_force(rail, mass, drive);
  let cart = (drive + force) / mass;
  return PendulumRate(vec3f(cart, free1 - yield1 * cart, free2 - yield2 * cart), force);
}

// The tip of the upper pole is computed from the positions `shown`.
fn pendulum_state(p: EnvParams, q: vec3f, v: vec3f, shown: vec3f, rail_force: f32) -> EnvState {
  let first = trig_sincos(shown.y);
  let second = trig_sincos(shown.y + shown.z);
  let tip = p.pole_length * (first + second);
  return EnvState(q.x, q.y, q.z, v.x, v.y, v.z, shown.x + tip.x, tip.y, rail_force);
}

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  var q: vec3f;
  var v: vec3f;
  for (var i = 0u; i < 3u; i++) {
    q[i] = rng_uniform(rng, p.reset_low, p.reset_high);
  }
  for (var i = 0u; i < 3u; i++) {
    v[i] = f64_to_f32(f64_mul(p.reset_spread, rng_standard_normal(rng)));
  }
  // The start position is far from the stops of the rail.
  return pendulum_state(p, q, v, q, 0.0);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  let first = trig_sincos(s.theta1);
  let second = trig_sincos(s.theta2);
  let most = p.observed_limit;
  return Obs(
    s.x,
    first.x,
    second.x,
    first.y,
    second.y,
    clamp(s.x_dot, -most, most),
    clamp(s.theta1_dot, -most, most),
    clamp(s.theta2_dot, -most, most),
    clamp(s.rail_force, -most, most),
  );
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let push = p.gear * clamp(action[0], -p.control_limit, p.control_limit);
  let h = p.time_step;
  var q = vec3f(s.x, s.theta1, s.theta2);
  var v = vec3f(s.x_dot, s.theta1_dot, s.theta2_dot);
  var shown = q;
  var rail_force = 0.0;
  let substeps = u32(p.substeps);
  for (var i = 0u; i < substeps; i++) {
    // One Runge-Kutta step. The loop over the four stages keeps the program small and quick to compile.
    var stage_q = q;
    var stage_v = v;
    var sum_v = vec3f(0.0);
    var sum_a = vec3f(0.0);
    for (var k = 0u; k < 4u; k++) {
      let rate = pendulum_rate(p, stage_q, stage_v, push);
      let weight = select(1.0, 2.0, k == 1u || k == 2u);
      sum_v += weight * stage_v;
      sum_a += weight * rate.acceleration;
      rail_force = rate.rail_force;
      shown = stage_q;
      let ahead = select(0.5 * h, h, k == 2u);
      stage_q = q + ahead * stage_v;
      stage_v = v + ahead * rate.acceleration;
    }
    q += h / 6.0 * sum_v;
    v += h / 6.0 * sum_a;
  }
  let next = pendulum_state(p, q, v, shown, rail_force);
  let standing = next.tip_z > p.lowest_tip;
  let short = next.tip_z - p.tip_target;
  let reward = select(0.0, p.alive_reward, standing)
    - (p.tip_x_cost * next.tip_x * next.tip_x + short * short)
    - (p.rate1_cost * v.y * v.y + p.rate2_cost * v.z * v.z);
  return Transition(next, reward, !standing);
}
