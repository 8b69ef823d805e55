// MuJoCo's soft joint limits; the float64 twin is in src/envs/mujoco.ts. For environments whose constants
// contain its `limitConstants` and `limitGains`.

// Constraint of one joint at its limit: side * acceleration + softness * force >= reference.
struct LimitRow {
  // 1 at the lower limit, -1 at the upper one, 0 away from both
  side: f32,
  reference: f32,
  softness: f32,
}

fn limit_row(
  p: EnvParams,
  position: f32,
  velocity: f32,
  low: f32,
  high: f32,
  margin: f32,
  inverse_weight: f32,
) -> LimitRow {
  // The impedance changes within 1 mm of the limit, so the distance must be one exact subtraction.
  let to_low = position - low;
  let to_high = high - position;
  let side = select(select(0.0, -1.0, to_high < margin), 1.0, to_low < margin);
  if (side == 0.0) {
    return LimitRow(0.0, 0.0, 0.0);
  }
  let gap = select(to_high, to_low, side > 0.0) - margin;
  let share = min(-gap / p.impedance_width, 1.0);
  let middle = p.impedance_midpoint;
  let rest = 1.0 - share;
  let rise = select(1.0 - rest * rest / (1.0 - middle), share * share / middle, share <= middle);
  let impedance = p.impedance_low + (p.impedance_high - p.impedance_low) * rise;
  return LimitRow(
    side,
    -p.limit_damping * side * velocity - p.limit_stiffness * impedance * gap,
    (1.0 - impedance) / impedance * inverse_weight,
  );
}

// The signed force of a limit on its joint, with all other joints eliminated: mass * acceleration = drive + force.
fn limit_force(row: LimitRow, mass: f32, drive: f32) -> f32 {
  if (row.side == 0.0) {
    return 0.0;
  }
  return row.side * max(0.0, (row.reference * mass - row.side * drive) / (1.0 + row.softness * mass));
}

// Accelerations of two coupled joints that may both be at a limit: [[m.x, m.y], [m.y, m.z]] a = drive + forces.
fn limited_pair(m: vec3f, drive: vec2f, row1: LimitRow, row2: LimitRow) -> vec2f {
  let inverse = vec3f(m.z, -m.y, m.x) / (m.x * m.z - m.y * m.y);
  let free = vec2f(dot(inverse.xy, drive), dot(inverse.yz, drive));
  let side = vec2f(row1.side, row2.side);
  if (all(side == vec2f(0.0))) {
    return free;
  }
  // The violation of each limit without force, and its reduction per unit of force.
  let missing = vec2f(row1.reference, row2.reference) - side * free;
  let yields = inverse.xz + vec2f(row1.softness, row2.softness);
  let crossed = side.x * side.y * inverse.y;
  var force = vec2f(max(0.0, missing.x / yields.x), 0.0);
  if (missing.y - crossed * force.x > 0.0) {
    force = vec2f(0.0, missing.y / yields.y);
    if (missing.x - crossed * force.y > 0.0) {
      let both = yields.x * yields.y - crossed * crossed;
      force = (missing * yields.yx - crossed * missing.yx) / both;
    }
  }
  let signed = side * force;
  return free + vec2f(dot(inverse.xy, signed), dot(inverse.yz, signed));
}
