// Statistics of the episodes of each candidate: mean and squared distances, extremes, counts, exact order statistics,
// and the episodes nearest to the median and the mean. All arithmetic is in integers and in doubles emulated with them.
// Every adapter therefore gives the bits of the float64 statistics of the same returns (src/rollout/statistics.ts).
//
// A workgroup of TEAM invocations processes one tile: the episodes of one candidate, or a part of them. If one tile
// contains all episodes, `whole` does everything. Otherwise each stage runs over the tiles and is then joined per
// candidate: gather_tiles, gather_join, (count_tiles, count_join) for each digit, nearest_tiles, nearest_join.
//
// Radix selection finds order statistics digit by digit from the top: among the returns that share the digits found so
// far, a histogram of the next digit gives the next digit of the return with the wanted rank.

struct StatisticsJob {
  // E, and the number of candidates in the outcomes
  episodes: u32,
  candidates: u32,
  // The outcomes contain the episodes first ... first + count - 1 of each candidate.
  first: u32,
  count: u32,
  // tiles of these episodes per candidate, number of the first of these tiles, and tiles of all E episodes
  tiles: u32,
  first_tile: u32,
  all_tiles: u32,
  // `order_key` of the lowest return that is a success
  success_key: u32,
  // indices in `ranks` of the two middle ranks
  middle_low: u32,
  middle_high: u32,
  // ascending; the last one is repeated if fewer are needed
  ranks: array<u32, RANKS>,
}

// invocations per workgroup: a power of two, at least RANKS
override TEAM: u32;
// episodes per tile
override TILE: u32;

// src/rollout/webgpu/statistics/statistics-declarations.ts declares sizes and the words of a record and a state.
const DIGITS: u32 = 32u / DIGIT_BITS;
const BINS: u32 = 1u << DIGIT_BITS;
const HISTOGRAM: u32 = RANKS * BINS;

const NONE: u32 = 0xffffffffu;

// Kinds of reductions over the invocations of a workgroup, four words each; see `combine`.
const SUM: u32 = 0u;
const EXTREMES: u32 = 1u;
const COUNTS: u32 = 2u;
const LENGTHS: u32 = 3u;
const NEAREST: u32 = 4u;

@group(0) @binding(0) var<storage, read> job: StatisticsJob;
// per episode: the bits of its return; steps and end cause
@group(0) @binding(1) var<storage, read> outcomes: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> records: array<u32>;
@group(0) @binding(3) var<storage, read_write> states: array<u32>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4u>;
// RANKS x BINS per candidate
@group(0) @binding(5) var<storage, read_write> counts: array<atomic<u32>>;

var<workgroup> scratch: array<vec4u, TEAM>;
var<workgroup> histogram: array<atomic<u32>, HISTOGRAM>;
var<workgroup> prefixes: array<u32, RANKS>;
var<workgroup> remaining: array<u32, RANKS>;

// ---- values

// Unsigned integers in the order of the numbers; both zeros give the same one.
fn order_key(bits: u32) -> u32 {
  let unsigned_zero = select(bits, 0u, bits == F64_SIGN);
  return unsigned_zero ^ select(F64_SIGN, NONE, unsigned_zero >= F64_SIGN);
}

fn key_bits(key: u32) -> u32 {
  return key ^ select(NONE, F64_SIGN, key >= F64_SIGN);
}

// ---- reduction over the workgroup

fn combine(kind: u32, a: vec4u, b: vec4u) -> vec4u {
  switch kind {
    case SUM: {
      // sum and its rounding error
      let joined = f64_sum_join(F64Sum(F64(a.x, a.y), F64(a.z, a.w)), F64Sum(F64(b.x, b.y), F64(b.z, b.w)));
      return vec4u(joined.sum.lo, joined.sum.hi, joined.lost.lo, joined.lost.hi);
    }
    case EXTREMES: {
      // key and index of the lowest and of the highest; ties go to the first
      let lower = b.x < a.x || (b.x == a.x && b.y < a.y);
      let higher = b.z > a.z || (b.z == a.z && b.w < a.w);
      return vec4u(select(a.xy, b.xy, lower), select(a.zw, b.zw, higher));
    }
    case COUNTS: {
      return a + b;
    }
    case LENGTHS: {
      // steps as a 64-bit integer, shortest, longest
      return vec4u(f64_add_u64(a.xy, b.xy), min(a.z, b.z), max(a.w, b.w));
    }
    default: {
      // distance, index; ties go to the first
      let distance_a = F64(a.x, a.y);
      let distance_b = F64(b.x, b.y);
      let nearer = f64_magnitude_less(distance_b, distance_a);
      let equal = a.x == b.x && a.y == b.y;
      return select(a, b, nearer || (equal && b.z < a.z));
    }
  }
}

// Results of a stage by kind. Loops over the kinds keep the program small, because compilers inline every call.
alias Kinds = array<u32, KINDS>;
alias Parts = array<vec4u, KINDS>;

// Combines the parts of all invocations; each invocation receives the result.
fn reduce(lane: u32, kinds: Kinds, mine: Parts) -> Parts {
  var kind = kinds;
  var parts = mine;
  for (var k = 0u; k < KINDS; k++) {
    scratch[lane] = parts[k];
    workgroupBarrier();
    for (var half = TEAM / 2u; half > 0u; half /= 2u) {
      if (lane < half) {
        scratch[lane] = combine(kind[k], scratch[lane], scratch[lane + half]);
      }
      workgroupBarrier();
    }
    parts[k] = scratch[0];
    workgroupBarrier();
  }
  return parts;
}

fn combine_each(kinds: Kinds, a: Parts, b: Parts) -> Parts {
  var kind = kinds;
  var parts = a;
  var others = b;
  for (var k = 0u; k < KINDS; k++) {
    parts[k] = combine(kind[k], parts[k], others[k]);
  }
  return parts;
}

// ---- stages; `base` is the offset of the candidate's outcomes, `begin` and `end` are relative to it

// Sum, extremes, counts and lengths.
const GATHERED = Kinds(SUM, EXTREMES, COUNTS, LENGTHS);
const GATHERED_NOTHING = Parts(vec4u(0u), vec4u(NONE, NONE, 0u, NONE), vec4u(0u), vec4u(0u, 0u, NONE, 0u));

fn gather(lane: u32, base: u32, begin: u32, end: u32) -> Parts {
  var parts = GATHERED_NOTHING;
  for (var i = begin + lane; i < end; i += TEAM) {
    let outcome = outcomes[base + i];
    let key = order_key(outcome.x);
    let steps = outcome.y & STEP_MASK;
    let cause = outcome.y >> CAUSE_SHIFT;
    let value = f64_from_f32_bits(outcome.x);
    parts = combine_each(GATHERED, parts, Parts(
      vec4u(value.lo, value.hi, 0u, 0u),
      vec4u(key, job.first + i, key, job.first + i),
      vec4u(vec4<bool>(
        key >= job.success_key,
        cause == END_TERMINATED,
        cause == END_TRUNCATED,
        cause == END_CAPPED,
      )),
      vec4u(steps, 0u, steps, steps),
    ));
  }
  return reduce(lane, GATHERED, parts);
}

fn total_of(sum: vec4u) -> F64 {
  return f64_add(F64(sum.x, sum.y), F64(sum.z, sum.w));
}

// If all returns are equal, the mean is that return. The rounded sum divided by their number may differ from it.
fn mean_of(gathered: Parts) -> F64 {
  if (gathered[1].x == gathered[1].z) {
    return f64_from_f32_bits(key_bits(gathered[1].x));
  }
  return f64_div_u32(total_of(gathered[0]), job.episodes);
}

fn clear_histogram(lane: u32) {
  for (var i = lane; i < HISTOGRAM; i += TEAM) {
    atomicStore(&histogram[i], 0u);
  }
}

// The first `found` digits of a key.
fn top_digits(key: u32, found: u32) -> u32 {
  return select(key >> ((32u - found * DIGIT_BITS) & 31u), 0u, found == 0u);
}

fn next_digit(key: u32, found: u32) -> u32 {
  return (key >> (32u - (found + 1u) * DIGIT_BITS)) & (BINS - 1u);
}

// Counts the next digit of the returns that share the digits of a rank. Ranks with the same digits share a row.
fn count_digits(lane: u32, base: u32, begin: u32, end: u32, found: u32) {
  for (var i = begin + lane; i < end; i += TEAM) {
    let key = order_key(outcomes[base + i].x);
    let top = top_digits(key, found);
    for (var r = 0u; r < RANKS; r++) {
      if (prefixes[r] == top) {
        atomicAdd(&histogram[r * BINS + next_digit(key, found)], 1u);
        break;
      }
    }
  }
}

// Finds one more digit of each rank.
fn narrow(lane: u32) {
  var prefix = 0u;
  var rank = 0u;
  if (lane < RANKS) {
    prefix = prefixes[lane];
    rank = remaining[lane];
    var row = lane;
    while (row > 0u && prefixes[row - 1u] == prefix) {
      row -= 1u;
    }
    var digit = 0u;
    for (; digit < BINS - 1u; digit++) {
      let count = atomicLoad(&histogram[row * BINS + digit]);
      if (rank < count) {
        break;
      }
      rank -= count;
    }
    prefix = (prefix << DIGIT_BITS) | digit;
  }
  workgroupBarrier();
  if (lane < RANKS) {
    prefixes[lane] = prefix;
    remaining[lane] = rank;
  }
  workgroupBarrier();
}

// Half the sum of the two returns in the middle.
fn median_of(low: u32, high: u32) -> F64 {
  return f64_mul(f64_add(f64_from_f32_bits(key_bits(low)), f64_from_f32_bits(key_bits(high))), F64(0u, 0x3fe00000u));
}

// Squared distances from the mean, and the episodes nearest to median and mean.
const NEARBY = Kinds(SUM, NEAREST, NEAREST, COUNTS);
// farther away than any return
const NOWHERE = vec4u(NONE, NONE, NONE, 0u);
const NEARBY_NOTHING = Parts(vec4u(0u), NOWHERE, NOWHERE, vec4u(0u));

fn nearby(lane: u32, base: u32, begin: u32, end: u32, mean: F64, median: F64) -> Parts {
  var parts = NEARBY_NOTHING;
  for (var i = begin + lane; i < end; i += TEAM) {
    let value = f64_from_f32_bits(outcomes[base + i].x);
    let off_mean = f64_abs(f64_sub(value, mean));
    let off_median = f64_abs(f64_sub(value, median));
    let square = f64_mul(off_mean, off_mean);
    parts = combine_each(NEARBY, parts, Parts(
      vec4u(square.lo, square.hi, 0u, 0u),
      vec4u(off_median.lo, off_median.hi, job.first + i, 0u),
      vec4u(off_mean.lo, off_mean.hi, job.first + i, 0u),
      vec4u(0u),
    ));
  }
  return reduce(lane, NEARBY, parts);
}

// ---- records

fn write_f64(at: u32, x: F64) {
  records[at] = x.lo;
  records[at + 1u] = x.hi;
}

fn write_gathered(candidate: u32, gathered: Parts, mean: F64) {
  let at = candidate * RECORD_SIZE;
  write_f64(at, mean);
  for (var i = 0u; i < 4u; i++) {
    records[at + 4u + i] = gathered[2][i];
    records[at + 8u + i] = gathered[3][i];
  }
  write_pick(candidate, PICK_WORST, gathered[1].y);
  write_pick(candidate, PICK_BEST, gathered[1].w);
  write_pick(candidate, PICK_FIRST, 0u);
}

fn write_nearby(candidate: u32, near: Parts) {
  write_f64(candidate * RECORD_SIZE + 2u, total_of(near[0]));
  write_pick(candidate, PICK_MEDIAN, near[1].z);
  write_pick(candidate, PICK_MEAN, near[2].z);
}

// The steps of an outcome outside this buffer are unknown here; the host reads them.
fn write_pick(candidate: u32, pick: u32, index: u32) {
  let at = candidate * RECORD_SIZE + PICKS_AT + PICK_WORDS * pick;
  let here = index >= job.first && index - job.first < job.count;
  let outcome = outcomes[candidate * job.count + select(0u, index - job.first, here)];
  records[at] = index;
  records[at + 1u] = outcome.x;
  records[at + 2u] = select(0u, outcome.y, here);
}

fn write_ranks(lane: u32, candidate: u32) {
  if (lane < RANKS) {
    records[candidate * RECORD_SIZE + RANKS_AT + lane] = key_bits(prefixes[lane]);
  }
}

fn start_selection(lane: u32) {
  if (lane < RANKS) {
    prefixes[lane] = 0u;
    remaining[lane] = job.ranks[lane];
  }
}

// ---- entry points

fn group_of(id: vec3u, groups: vec3u) -> u32 {
  return id.x + id.y * groups.x;
}

@compute @workgroup_size(TEAM)
fn whole(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let candidate = group_of(id, groups);
  if (candidate >= job.candidates) {
    return;
  }
  let base = candidate * job.count;
  let gathered = gather(lane, base, 0u, job.count);
  let mean = mean_of(gathered);
  start_selection(lane);
  for (var found = 0u; found < DIGITS; found++) {
    clear_histogram(lane);
    workgroupBarrier();
    count_digits(lane, base, 0u, job.count, found);
    workgroupBarrier();
    narrow(lane);
  }
  let median = median_of(prefixes[job.middle_low], prefixes[job.middle_high]);
  let near = nearby(lane, base, 0u, job.count, mean, median);
  write_ranks(lane, candidate);
  if (lane == 0u) {
    write_gathered(candidate, gathered, mean);
    write_nearby(candidate, near);
  }
}

struct Tile {
  candidate: u32,
  base: u32,
  begin: u32,
  end: u32,
  // offset of its partial results
  partial: u32,
}

fn tile_of(group: u32) -> Tile {
  let candidate = group / job.tiles;
  let tile = group % job.tiles;
  return Tile(
    candidate,
    candidate * job.count,
    tile * TILE,
    min(tile * TILE + TILE, job.count),
    (candidate * job.all_tiles + job.first_tile + tile) * KINDS,
  );
}

fn leave(lane: u32, tile: Tile, parts: Parts) {
  if (lane < KINDS) {
    var all = parts;
    partials[tile.partial + lane] = all[lane];
  }
}

// Combines the partial results of all tiles of a candidate.
fn join(lane: u32, candidate: u32, kinds: Kinds, nothing: Parts) -> Parts {
  var parts = nothing;
  for (var tile = lane; tile < job.all_tiles; tile += TEAM) {
    let at = (candidate * job.all_tiles + tile) * KINDS;
    parts = combine_each(kinds, parts, Parts(partials[at], partials[at + 1u], partials[at + 2u], partials[at + 3u]));
  }
  return reduce(lane, kinds, parts);
}

@compute @workgroup_size(TEAM)
fn gather_tiles(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = group_of(id, groups);
  if (group >= job.candidates * job.tiles) {
    return;
  }
  let tile = tile_of(group);
  leave(lane, tile, gather(lane, tile.base, tile.begin, tile.end));
}

@compute @workgroup_size(TEAM)
fn gather_join(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let candidate = group_of(id, groups);
  if (candidate >= job.candidates) {
    return;
  }
  let gathered = join(lane, candidate, GATHERED, GATHERED_NOTHING);
  let state = candidate * STATE_SIZE;
  if (lane == 0u) {
    let mean = mean_of(gathered);
    write_gathered(candidate, gathered, mean);
    states[state] = mean.lo;
    states[state + 1u] = mean.hi;
    states[state + DIGITS_FOUND_AT] = 0u;
  }
  if (lane < RANKS) {
    states[state + PREFIXES_AT + lane] = 0u;
    states[state + REMAINING_AT + lane] = job.ranks[lane];
  }
}

fn load_selection(lane: u32, candidate: u32) {
  let state = candidate * STATE_SIZE;
  if (lane < RANKS) {
    prefixes[lane] = states[state + PREFIXES_AT + lane];
    remaining[lane] = states[state + REMAINING_AT + lane];
  }
}

@compute @workgroup_size(TEAM)
fn count_tiles(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = group_of(id, groups);
  if (group >= job.candidates * job.tiles) {
    return;
  }
  let tile = tile_of(group);
  load_selection(lane, tile.candidate);
  clear_histogram(lane);
  workgroupBarrier();
  count_digits(lane, tile.base, tile.begin, tile.end, states[tile.candidate * STATE_SIZE + DIGITS_FOUND_AT]);
  workgroupBarrier();
  for (var i = lane; i < HISTOGRAM; i += TEAM) {
    let count = atomicLoad(&histogram[i]);
    if (count > 0u) {
      atomicAdd(&counts[tile.candidate * HISTOGRAM + i], count);
    }
  }
}

@compute @workgroup_size(TEAM)
fn count_join(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let candidate = group_of(id, groups);
  if (candidate >= job.candidates) {
    return;
  }
  load_selection(lane, candidate);
  for (var i = lane; i < HISTOGRAM; i += TEAM) {
    // Read and reset to zero for the next digit.
    atomicStore(&histogram[i], atomicExchange(&counts[candidate * HISTOGRAM + i], 0u));
  }
  workgroupBarrier();
  narrow(lane);
  let state = candidate * STATE_SIZE;
  if (lane < RANKS) {
    states[state + PREFIXES_AT + lane] = prefixes[lane];
    states[state + REMAINING_AT + lane] = remaining[lane];
  }
  write_ranks(lane, candidate);
  if (lane == 0u) {
    let found = states[state + DIGITS_FOUND_AT] + 1u;
    states[state + DIGITS_FOUND_AT] = found;
    if (found == DIGITS) {
      let median = median_of(prefixes[job.middle_low], prefixes[job.middle_high]);
      states[state + 2u] = median.lo;
      states[state + 3u] = median.hi;
    }
  }
}

@compute @workgroup_size(TEAM)
fn nearest_tiles(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = group_of(id, groups);
  if (group >= job.candidates * job.tiles) {
    return;
  }
  let tile = tile_of(group);
  let state = tile.candidate * STATE_SIZE;
  let mean = F64(states[state], states[state + 1u]);
  let median = F64(states[state + 2u], states[state + 3u]);
  leave(lane, tile, nearby(lane, tile.base, tile.begin, tile.end, mean, median));
}

@compute @workgroup_size(TEAM)
fn nearest_join(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let candidate = group_of(id, groups);
  if (candidate >= job.candidates) {
    return;
  }
  let near = join(lane, candidate, NEARBY, NEARBY_NOTHING);
  if (lane == 0u) {
    write_nearby(candidate, near);
  }
}

// Sums the steps of `count` outcomes from `first` on, in units of 2^16 plus remainder, to measure the current speed.
@compute @workgroup_size(TEAM)
fn progress(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let begin = group_of(id, groups) * TILE;
  let end = min(begin + TILE, job.count);
  var steps = vec2u(0u);
  for (var i = begin + lane; i < end; i += TEAM) {
    steps = f64_add_u64(steps, vec2u(outcomes[job.first + i].y & STEP_MASK, 0u));
  }
  atomicAdd(&counts[0], (steps.y << 16u) | (steps.x >> 16u));
  atomicAdd(&counts[1], steps.x & 0xffffu);
}
