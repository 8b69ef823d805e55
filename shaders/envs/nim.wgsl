// Nim; the float64 twin is src/envs/nim/dynamics.ts.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(p.sticks);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.sticks);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let before = u32(s.sticks);
  let most = u32(p.most_taken);
  if (action < 1u || action > most || action > before) {
    return Transition(s, -1.0, true);
  }
  let left = before - action;
  if (left == 0u) {
    return Transition(EnvState(0.0), -1.0, true);
  }
  // The winning move leaves one stick more than a multiple of (most + 1).
  var answer = (left + most) % (most + 1u);
  if (answer == 0u) {
    let choices = min(most, left);
    answer = 1u;
    // A single choice needs no draw.
    if (choices > 1u) {
      answer += rng_integers(rng, choices);
    }
  }
  let won = answer == left;
  return Transition(EnvState(f32(left - answer)), select(0.0, 1.0, won), won);
}
