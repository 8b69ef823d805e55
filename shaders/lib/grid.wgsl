// Shared functions of grid worlds; the float64 twin is src/envs/grid.ts. For environments with the constants rows,
// columns, inverse_columns, start_cell and the slip bounds as float64 words, whose steps draw once if they can slip.

// Row and column of a cell. The numbers are small; adding half a cell keeps the quotient away from integers.
fn grid_place(p: EnvParams, cell: f32) -> vec2f {
  let row = floor((cell + 0.5) * p.inverse_columns);
  return vec2f(row, cell - row * p.columns);
}

fn grid_cell(p: EnvParams, place: vec2f) -> f32 {
  let inside = clamp(place, vec2f(0.0), vec2f(p.rows, p.columns) - 1.0);
  return inside.x * p.columns + inside.y;
}

// 1 for the direction, 0 for any other
fn grid_is(direction: u32, which: u32) -> f32 {
  return select(0.0, 1.0, direction == which);
}

// The start cell. The original draws it although there is only one. Without slipping, the draw has no effect: skipped.
fn grid_start(p: EnvParams, rng: ptr<function, Rng>) -> f32 {
  if (STEP_DRAWS == 1u) {
    _ = rng_random(rng);
  }
  return p.start_cell;
}

// The direction of a move: on slippery ground one draw determines it.
fn grid_slip(p: EnvParams, direction: u32, rng: ptr<function, Rng>) -> u32 {
  if (STEP_DRAWS == 0u) {
    return direction;
  }
  let draw = rng_fraction(rng);
  let turn = select(
    select(1u, 0u, rng_fraction_below(draw, p.slip_forward_below)),
    3u,
    rng_fraction_below(draw, p.slip_left_below),
  );
  return (direction + turn) & 3u;
}
