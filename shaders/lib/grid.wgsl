// What the grid worlds share; the float64 twin is src/envs/grid.ts. For environments whose constants hold rows, columns,
// inverse_columns, start_cell, and the bounds of a slip as float64 words, and whose steps draw once where they may slip.

// Row and column of a cell. The numbers are small: half a cell more keeps the quotient away from the next whole number.
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

// The start cell. The original draws it, although there is one; where nothing slips that decides nothing, so no draw.
fn grid_start(p: EnvParams, rng: ptr<function, Rng>) -> f32 {
  if (STEP_DRAWS == 1u) {
    _ = rng_random(rng);
  }
  return p.start_cell;
}

// Where a move goes: on slippery ground one draw decides.
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
