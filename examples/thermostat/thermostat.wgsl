fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  return EnvState(15.0, floor(rng_random_f32(rng) * 20.0) - 10.0);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.room, s.outside);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let heat = clamp(action[0], 0.0, 1.0);
  let room = s.room + p.power * heat - p.loss * (s.room - s.outside);
  return Transition(EnvState(room, s.outside), -abs(room - p.wanted), false);
}
