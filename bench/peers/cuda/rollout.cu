// Rollouts in CUDA, one thread per episode: what the chip allows. Tries ways to do it, times the fastest precise one.
//   rollout EPISODES MAX_STEPS SEED REPEATS WEIGHTS...
#include ENVIRONMENT
#include "arguments.h"
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

static void check(cudaError_t error, int line) {
  if (error == cudaSuccess) return;
  fprintf(stderr, "rollout.cu:%d: %s\n", line, cudaGetErrorString(error));
  exit(error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ? 3 : 1);
}
#define CHECK(call) check(call, __LINE__)

// One pair of atomic additions per block.
__device__ void add_up(Sums mine, Sums *all) {
  __shared__ unsigned long long returns[32], lengths[32];
  for (int offset = 16; offset; offset /= 2) {
    mine.returns += __shfl_down_sync(~0u, mine.returns, offset);
    mine.lengths += __shfl_down_sync(~0u, mine.lengths, offset);
  }
  if (threadIdx.x % 32 == 0) {
    returns[threadIdx.x / 32] = mine.returns;
    lengths[threadIdx.x / 32] = mine.lengths;
  }
  __syncthreads();
  if (threadIdx.x) return;
  for (int i = 1; i < blockDim.x / 32; i++) {
    mine.returns += returns[i];
    mine.lengths += lengths[i];
  }
  atomicAdd(&all->returns, mine.returns);
  atomicAdd(&all->lengths, mine.lengths);
}

// unroll 0: the grid fills the GPU once, and each thread plays one episode after the other.
template <class Env, int unroll> __global__ void __launch_bounds__(512) rollout(Policy policy, Job job, Sums *all) {
  const uint32_t lane = blockIdx.x * blockDim.x + threadIdx.x;
  Sums mine;
  if constexpr (unroll == 0) {
    play_on<Env>(policy, job, lane, gridDim.x * blockDim.x, mine);
  } else {
    if (lane < job.episodes) play<Env, unroll>(policy, job, lane, mine);
  }
  add_up(mine, all);
}

struct Variant {
  std::string name;
  void (*kernel)(Policy, Job, Sums *);
  int block;
  bool refill, precise;
  double seconds = 0;
};

template <Trig trig> void add_variants(std::vector<Variant> &list, const char *name, bool precise = true) {
  using Env = Environment<trig>;
  for (int block : {64, 128, 256, 512}) {
    const std::string start = std::string(name) + ", blocks of " + std::to_string(block);
    list.push_back({start, rollout<Env, 1>, block, false, precise});
    list.push_back({start + ", limit looked at every 4 steps", rollout<Env, 4>, block, false, precise});
    list.push_back({start + ", threads go on to the next episode", rollout<Env, 0>, block, true, precise});
  }
}

static double median(std::vector<double> list) {
  std::nth_element(list.begin(), list.begin() + list.size() / 2, list.end());
  return list[list.size() / 2];
}

class Device {
  Sums *sums;
  cudaEvent_t began, ended;
  cudaDeviceProp properties;

public:
  Sums *result;

  Device() {
    CHECK(cudaGetDeviceProperties(&properties, 0));
    CHECK(cudaMalloc(&sums, sizeof *sums));
    CHECK(cudaMallocHost(&result, sizeof *result));
    CHECK(cudaEventCreate(&began));
    CHECK(cudaEventCreate(&ended));
  }

  const char *name() const { return properties.name; }

  // Median seconds of a whole repetition by the host's clock and of the kernel by the device's, after one to warm up.
  std::pair<double, double> time(const Variant &variant, const Arguments &given, int repeats) {
    const Job &job = given.job;
    uint32_t grid = (job.episodes + variant.block - 1) / variant.block;
    if (variant.refill) {
      int resident;
      CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, variant.kernel, variant.block, 0));
      grid = std::min<uint32_t>(grid, resident * properties.multiProcessorCount);
    }
    std::vector<double> whole, kernel;
    for (int r = 0; r <= repeats; r++) {
      const auto start = std::chrono::steady_clock::now();
      CHECK(cudaMemsetAsync(sums, 0, sizeof *sums));
      CHECK(cudaEventRecord(began));
      variant.kernel<<<grid, variant.block>>>(given.policy, job, sums);
      CHECK(cudaGetLastError());
      CHECK(cudaEventRecord(ended));
      CHECK(cudaMemcpyAsync(result, sums, sizeof *sums, cudaMemcpyDeviceToHost));
      CHECK(cudaStreamSynchronize(nullptr));
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      float milliseconds;
      CHECK(cudaEventElapsedTime(&milliseconds, began, ended));
      if (r == 0) continue;
      whole.push_back(took.count());
      kernel.push_back(milliseconds / 1000.0);
    }
    return {median(whole), median(kernel)};
  }
};

int main(int count, char **values) {
  const Arguments given(count, values, Environment<Trig::library>::scores);
  std::vector<Variant> list;
  if constexpr (Environment<Trig::library>::near_zero) {
    add_variants<Trig::near_zero>(list, "polynomials for small angles");
  }
  add_variants<Trig::polynomial>(list, "polynomials");
  add_variants<Trig::library>(list, "sincosf");
  add_variants<Trig::fast>(list, "__sincosf (imprecise, never chosen)", false);

  Device device;
  std::string tried;
  const Variant *best = nullptr;
  for (Variant &variant : list) {
    variant.seconds = device.time(variant, given, std::min(given.repeats, 5)).first;
    if (variant.precise && (!best || variant.seconds < best->seconds)) best = &variant;
    char entry[256];
    snprintf(entry, sizeof entry, "%s{\"variant\": \"%s\", \"seconds\": %.9f, \"meanReturn\": %.6f}",
             tried.empty() ? "" : ", ", variant.name.c_str(), variant.seconds,
             double(device.result->returns) / given.job.episodes);
    tried += entry;
  }
  const auto [seconds, kernel_seconds] = device.time(*best, given, given.repeats);
  print_result(*device.result, given.job, seconds, kernel_seconds, device.name(), best->name.c_str());
  printf("[%s]}\n", tried.c_str());
}
