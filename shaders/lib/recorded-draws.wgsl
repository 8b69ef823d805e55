// Random numbers that were drawn before, instead of pcg64.wgsl: float64 values in the order in which a step consumes
// them, STEP_DRAWS per invocation. A generator with "seed" i reads those of invocation i.

struct Rng {
  next: u32,
}

@group(0) @binding(3) var<storage, read> recorded_draws: array<F64>;

fn rng_seed(lo: u32, hi: u32) -> Rng {
  return Rng(lo * STEP_DRAWS);
}

fn rng_random(rng: ptr<function, Rng>) -> F64 {
  let draw = recorded_draws[(*rng).next];
  (*rng).next += 1u;
  return draw;
}

// A given number may be between the values of a generator, so it stays a double.
alias RngFraction = F64;

fn rng_fraction(rng: ptr<function, Rng>) -> RngFraction {
  return rng_random(rng);
}

fn rng_fraction_below(draw: RngFraction, bound: F64) -> bool {
  return f64_less(draw, bound);
}

fn rng_random_f32(rng: ptr<function, Rng>) -> f32 {
  return f64_to_f32(rng_random(rng));
}

fn rng_uniform(rng: ptr<function, Rng>, low: F64, high: F64) -> f32 {
  return f64_to_f32(rng_random(rng));
}

fn rng_integers(rng: ptr<function, Rng>, n: u32) -> u32 {
  return u32(f64_to_f32(rng_random(rng)));
}

fn rng_standard_normal(rng: ptr<function, Rng>) -> F64 {
  return rng_random(rng);
}
