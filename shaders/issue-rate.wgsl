// Measures the f32 multiply-add rate of the adapter: four independent chains per invocation and many invocations hide
// the latency of an instruction. More chains are slower if they do not fit into registers (SwiftShader). The compiler
// cannot remove or precompute anything: factor and summand come from a buffer, and the sums are stored.

struct IssueRateJob {
  passes: u32,
  factor: f32,
  summand: f32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<storage, read> job: IssueRateJob;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

// Unrolled and without variables, because some compilers keep variables in memory.
fn issue_rate_4(x: vec4f, factor: vec4f, summand: vec4f) -> vec4f {
  return fma(fma(fma(fma(x, factor, summand), factor, summand), factor, summand), factor, summand);
}

fn issue_rate_16(x: vec4f, factor: vec4f, summand: vec4f) -> vec4f {
  let half = issue_rate_4(issue_rate_4(x, factor, summand), factor, summand);
  return issue_rate_4(issue_rate_4(half, factor, summand), factor, summand);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn issue_rate(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(job.factor);
  let summand = vec4f(job.summand);
  var chains = vec4f(f32(id.x)) + vec4f(0.0, 1.0, 2.0, 3.0);
  for (var i = 0u; i < job.passes; i++) {
    chains = issue_rate_16(issue_rate_16(chains, factor, summand), factor, summand);
  }
  sums[id.x] = dot(chains, vec4f(1.0));
}
