// The episode loop of rollout.wgsl with a record of each step: invocation 0 plays the episode with flat index `first`.
//
// For backends whose arithmetic does not depend on the program, so that the recorded episode equals the evaluated one. On a
// GPU it might not, and one invocation would leave the other lanes idle.

struct Job {
  // 0: all candidates start with seeds[0]; 1: each has its own
  own_seeds: u32,
  // E: flat index = candidate * episodes + episode, of the candidates in the buffer
  episodes: u32,
  // flat index of the episode
  first: u32,
  // 1
  count: u32,
  max_steps: u32,
  // end cause of an episode that reaches max_steps, in the order of END_*
  limit_cause: u32,
  // these are not read
  outcome_at: u32,
  record: u32,
}

struct Outcome {
  total: f32,
  steps_and_cause: u32,
}

const RECORD_SIZE: u32 = STATE_DIM + OBS_DIM + ACTION_DIM + 1u;

@group(0) @binding(0) var<storage, read> job: Job;
@group(0) @binding(1) var<storage, read> env_params: EnvParams;
@group(0) @binding(2) var<storage, read> candidates: array<f32>;
// episode seed of episode 0, low word first
@group(0) @binding(3) var<storage, read> seeds: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> outcomes: array<Outcome>;
// record t: the state after t steps, its observation, and action and reward of the step before
@group(0) @binding(5) var<storage, read_write> records: array<f32>;

@compute @workgroup_size(1)
fn record_episode() {
  let candidate = job.first / job.episodes;
  let episode = job.first % job.episodes;
  let first_seed = seeds[candidate * job.own_seeds];
  let seed_lo = first_seed.x + episode;
  let carry = select(0u, 1u, seed_lo < episode);
  var rng = rng_seed(seed_lo, first_seed.y + carry);
  let params = env_params;
  var policy = policy_load(candidate * PARAM_COUNT);
  var state = env_reset(params, &rng);
  var obs = env_observe(params, state);
  var action: Action;
  var reward = 0.0;
  var total = 0.0;
  var steps = 0u;
  var terminated = false;
  loop {
    let entry = steps * RECORD_SIZE;
    var reached = state_to_array(state);
    for (var i = 0u; i < STATE_DIM; i++) {
      records[entry + i] = reached[i];
    }
    for (var i = 0u; i < OBS_DIM; i++) {
      records[entry + STATE_DIM + i] = obs[i];
    }
    var taken = action_to_array(action);
    for (var i = 0u; i < ACTION_DIM; i++) {
      records[entry + STATE_DIM + OBS_DIM + i] = taken[i];
    }
    records[entry + RECORD_SIZE - 1u] = reward;
    if (steps >= job.max_steps || terminated) {
      break;
    }
    var outputs = policy_act(&policy, &obs);
    action = select_action(&outputs);
    let step = env_step(params, state, action, &rng);
    state = step.state;
    reward = step.reward;
    terminated = step.terminated;
    obs = env_observe(params, state);
    total += reward;
    steps += 1u;
  }
  let cause = select(job.limit_cause, END_TERMINATED, terminated);
  outcomes[0] = Outcome(total, steps | (cause << CAUSE_SHIFT));
}
