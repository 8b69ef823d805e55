// Swimmer in f32; the float64 twin is src/envs/swimmer/dynamics.ts. Triples are ordered by link, front to back.

struct SwimmerRate {
  place: vec2f,
  angles: vec3f,
}

// Component of `v` along (-sin, cos), the normal of `direction` (cos, sin).
fn swimmer_across(direction: vec2f, v: vec2f) -> f32 {
  return direction.x * v.y - direction.y * v.x;
}

// Force of the fluid on a link whose centre moves with `v`.
fn swimmer_drag(p: EnvParams, direction: vec2f, v: vec2f) -> vec2f {
  let along = dot(direction, v);
  let across = swimmer_across(direction, v);
  let drag = -(p.linear_drag + p.axial_drag * abs(along)) * along;
  let lift = -(p.linear_drag + p.lateral_drag * abs(across)) * across;
  return drag * direction + lift * vec2f(-direction.y, direction.x);
}

fn swimmer_rate(p: EnvParams, q: vec3f, v: vec2f, w: vec3f, motors: vec2f) -> SwimmerRate {
  // Directions (cos, sin) of the links, and their normals, in which a rotation moves them.
  let u1 = trig_sincos(q.x).yx;
  let u2 = trig_sincos(q.x + q.y).yx;
  let u3 = trig_sincos(q.x + q.y + q.z).yx;
  let n1 = vec2f(-u1.y, u1.x);
  let n2 = vec2f(-u2.y, u2.x);
  let n3 = vec2f(-u3.y, u3.x);
  let spin = vec3f(w.x, w.x + w.y, w.x + w.y + w.z);

  // Fluid drag on each link: along its axis, across it, and on its spin.
  let joint1 = v + p.torso_end * spin.x * n1;
  let joint2 = joint1 - p.link_length * spin.y * n2;
  let f1 = swimmer_drag(p, u1, v + p.torso_centre * spin.x * n1);
  let f2 = swimmer_drag(p, u2, joint1 - p.link_centre * spin.y * n2);
  let f3 = swimmer_drag(p, u3, joint2 - p.link_centre * spin.z * n3);
  let force = f1 + f2 + f3;
  let braked = (p.angular_drag + p.spin_drag * abs(spin)) * spin;

  // Generalised force of each heading: forces times levers minus the recoil of the frame, fluid torque, inertia.
  let yields = vec3f(p.moment1, p.moment2, p.moment3) / p.total_mass;
  let turning = spin * spin;
  let swing12 = p.coupling12 * swimmer_across(u2, u1);
  let swing13 = p.coupling13 * swimmer_across(u3, u1);
  let swing23 = p.coupling23 * swimmer_across(u3, u2);
  let drive = vec3f(
    dot(n1, p.torso_centre * f1 + p.torso_end * (f2 + f3) - yields.x * force)
      - swing12 * turning.y - swing13 * turning.z,
    dot(n2, -p.link_centre * f2 - p.link_length * f3 - yields.y * force)
      + swing12 * turning.x - swing23 * turning.z,
    dot(n3, -p.link_centre * f3 - yields.z * force)
      + swing13 * turning.x + swing23 * turning.y,
  ) - braked;

  // From headings to joint angles: a joint rotates all links behind it.
  let m12 = p.coupling12 * dot(u1, u2);
  let m13 = p.coupling13 * dot(u1, u3);
  let m23 = p.coupling23 * dot(u2, u3);
  let c33 = p.inertia33 + p.armature;
  let c23 = m23 + p.inertia33;
  let behind = p.inertia22 + m23 + c23;
  let c22 = behind + p.armature;
  let c13 = m13 + c23;
  let c12 = m12 + m13 + behind;
  let c11 = p.inertia11 + m12 + m13 + c12 + p.armature;
  let joints = drive.yz + vec2f(drive.z, 0.0);
  let torso = drive.x + joints.x;

  // Eliminating the angle of the torso leaves the two joints, with their stops.
  let share = vec2f(c12, c13) / c11;
  let m = vec3f(c22 - share.x * c12, c23 - share.x * c13, c33 - share.y * c13);
  let row1 = limit_row(p, q.y, w.y, -p.joint_limit, p.joint_limit, p.limit_margin, p.joint1_inverse_weight);
  let row2 = limit_row(p, q.z, w.z, -p.joint_limit, p.joint_limit, p.limit_margin, p.joint2_inverse_weight);
  let bend = limited_pair(m, joints + motors - share * torso, row1, row2);
  let turn1 = torso / c11 - dot(share, bend);
  let turn2 = turn1 + bend.x;
  let turn3 = turn2 + bend.y;
  let place = force / p.total_mass
    + yields.x * (turning.x * u1 - turn1 * n1)
    + yields.y * (turning.y * u2 - turn2 * n2)
    + yields.z * (turning.z * u3 - turn3 * n3);
  return SwimmerRate(place, vec3f(turn1, bend));
}

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  var s: array<f32, 10>;
  for (var i = 0u; i < 10u; i++) {
    s[i] = rng_uniform(rng, p.reset_low, p.reset_high);
  }
  return EnvState(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9]);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.theta1, s.theta2, s.theta3, s.x_dot, s.y_dot, s.theta1_dot, s.theta2_dot, s.theta3_dot);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let chosen = vec2f(action[0], action[1]);
  let motors = p.gear * clamp(chosen, vec2f(-p.control_limit), vec2f(p.control_limit));
  let h = p.time_step;
  var q = vec3f(s.theta1, s.theta2, s.theta3);
  var v = vec2f(s.x_dot, s.y_dot);
  var w = vec3f(s.theta1_dot, s.theta2_dot, s.theta3_dot);
  // Displacements are summed separately: the dynamics do not depend on the position, and a displacement is far smaller.
  var way = vec2f(0.0);
  let substeps = u32(p.substeps);
  for (var i = 0u; i < substeps; i++) {
    // One Runge-Kutta step. The loop over the four stages keeps the program small and quick to compile.
    var stage_q = q;
    var stage_v = v;
    var stage_w = w;
    var sum_v = vec2f(0.0);
    var sum_w = vec3f(0.0);
    var sum_place = vec2f(0.0);
    var sum_angles = vec3f(0.0);
    for (var k = 0u; k < 4u; k++) {
      let rate = swimmer_rate(p, stage_q, stage_v, stage_w, motors);
      let weight = select(1.0, 2.0, k == 1u || k == 2u);
      sum_v += weight * stage_v;
      sum_w += weight * stage_w;
      sum_place += weight * rate.place;
      sum_angles += weight * rate.angles;
      let ahead = select(0.5 * h, h, k == 2u);
      stage_q = q + ahead * stage_w;
      stage_v = v + ahead * rate.place;
      stage_w = w + ahead * rate.angles;
    }
    way += h / 6.0 * sum_v;
    q += h / 6.0 * sum_w;
    v += h / 6.0 * sum_place;
    w += h / 6.0 * sum_angles;
  }
  let next = EnvState(s.x + way.x, s.y + way.y, q.x, q.y, q.z, v.x, v.y, w.x, w.y, w.z);
  let reward = p.forward_reward * (way.x / p.step_time) - p.control_cost * dot(chosen, chosen);
  return Transition(next, reward, false);
}
