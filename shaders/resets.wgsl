// Start states of consecutive episode seeds.

struct ResetJob {
  count: u32,
  // seed of invocation 0, as two words
  seed_lo: u32,
  seed_hi: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<storage, read> job: ResetJob;
@group(0) @binding(1) var<storage, read> env_params: EnvParams;
@group(0) @binding(2) var<storage, read_write> states: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn resets(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let lane = id.x + id.y * groups.x * WORKGROUP_SIZE;
  if (lane >= job.count) {
    return;
  }
  let seed_lo = job.seed_lo + lane;
  let carry = select(0u, 1u, seed_lo < lane);
  var rng = rng_seed(seed_lo, job.seed_hi + carry);
  let params = env_params;
  var start = state_to_array(env_reset(params, &rng));
  for (var i = 0u; i < STATE_DIM; i++) {
    states[lane * STATE_DIM + i] = start[i];
  }
}
