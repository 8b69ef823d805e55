// Pong in f32; the float64 twin is src/envs/pong/dynamics.ts. All state entries except ball_y and ball_dy are
// small integers, which are exact in f32. Both sides of the field share one hit test, so a step has no branch.

fn env_reset(p: EnvParams, rng: ptr<function, Rng>) -> EnvState {
  let ball_dx = select(-p.ball_speed, p.ball_speed, rng_integers(rng, 2u) == 1u);
  let ball_dy = rng_uniform(rng, p.serve_low, p.serve_high);
  return EnvState(p.start_paddle_y, p.start_paddle_y, p.start_ball_x, p.start_ball_y, ball_dx, ball_dy, 0.0);
}

fn env_observe(p: EnvParams, s: EnvState) -> Obs {
  return Obs(s.paddle1_y + p.paddle_middle, s.ball_x, s.ball_y, s.ball_dx, s.ball_dy);
}

fn env_step(p: EnvParams, s: EnvState, action: Action, rng: ptr<function, Rng>) -> Transition {
  let own_move = select(select(0.0, p.paddle_speed, action == 1u), -p.paddle_speed, action == 0u);
  // The opponent always moves: level with the ball it moves up.
  let other_move = select(-p.paddle_speed, p.paddle_speed, s.paddle2_y + p.paddle_middle < s.ball_y);
  let own = clamp(s.paddle1_y + own_move, 0.0, p.paddle_lowest);
  let other = clamp(s.paddle2_y + other_move, 0.0, p.paddle_lowest);
  let x = s.ball_x + s.ball_dx;
  let y = s.ball_y + s.ball_dy;
  let approaching = s.ball_dx < 0.0;
  let top = select(other, own, approaching);
  let at_face = select(x >= p.right_face, x <= p.left_face, approaching);
  let hit = at_face && top <= y && y <= top + p.paddle_height;
  // The position is not corrected, so a slow ball bounces again in the next step.
  let at_wall = y <= 0.0 || y >= p.ball_lowest;
  let next = EnvState(
    own,
    other,
    x,
    y,
    select(s.ball_dx, -s.ball_dx, hit),
    select(select(s.ball_dy, -s.ball_dy, at_wall), p.bounce_slope * (y - top) - p.ball_speed, hit),
    s.step_count + 1.0,
  );
  return Transition(next, select(0.0, 1.0, hit && approaching), x < 0.0 || x > p.ball_rightmost);
}
