/** Measures an adapter's peak issue rate in operations per second, with which a bench compares its speed. */

import { R2poError } from '../base/errors.ts';
import { readAsset } from '../base/node/assets.ts';
import type { GpuDevice } from '../rollout/webgpu/device.ts';
import { link } from '../rollout/webgpu/program/link.ts';
import { compile } from '../rollout/webgpu/program/pipeline.ts';

export interface IssueRate {
  /** f32 multiply-adds per second over all lanes, each counted once, in the fastest dispatch */
  readonly operationsPerSecond: number;
  readonly clock: Clock;
}

type Clock = 'gpu' | 'wall';

const path = 'shaders/issue-rate.wgsl';
const workgroupSize = 64;
/** Many waves on a large GPU, so that the partly filled last one matters little. */
const invocations = 2 ** 20;
/** Four chains of 32 rounds, as in the shader. */
const operationsPerPass = 128;
/** Minimum time of a dispatch: long enough to hide its overhead, below the driver timeouts of desktops, s. */
const minSeconds = 0.02;
const dispatches = 10;
/** Multiply-adds converge to 16, so no intermediate value slows the arithmetic. */
const [factor, summand] = [0.9375, 1];

/** Takes about half a second. Throws `R2poError` when the device fails. */
export async function measureIssueRate(gpu: GpuDevice): Promise<IssueRate> {
  const { device } = gpu;
  const layout = device.createBindGroupLayout({
    entries: (['read-only-storage', 'storage'] as const).map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const program = link([{ path, text: readAsset(path), declares: ['issue_rate'] }]);
  const pipeline = await compile(device, program, 'issue_rate', pipelineLayout, { WORKGROUP_SIZE: workgroupSize });
  const buffer = (size: number, usage: GPUBufferUsageFlags): GPUBuffer => device.createBuffer({ size, usage });
  const job = buffer(12, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
  const sums = buffer(invocations * 4, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  // Two timestamps, then one sum.
  const stamps = buffer(16, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  const readback = buffer(20, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const queries = gpu.adapter.timestamps ? device.createQuerySet({ type: 'timestamp', count: 2 }) : null;
  const bindGroup = device.createBindGroup({
    layout,
    entries: [job, sums].map((of, binding) => ({ binding, resource: { buffer: of } })),
  });

  const dispatch = async (passes: number): Promise<{ readonly seconds: number; readonly clock: Clock }> => {
    gpu.check();
    const words = new DataView(new ArrayBuffer(12));
    words.setUint32(0, passes, true);
    words.setFloat32(4, factor, true);
    words.setFloat32(8, summand, true);
    device.queue.writeBuffer(job, 0, words.buffer);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(
      queries ? { timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } } : {},
    );
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(invocations / workgroupSize);
    pass.end();
    if (queries) {
      encoder.resolveQuerySet(queries, 0, 2, stamps, 0);
      encoder.copyBufferToBuffer(stamps, 0, readback, 0, 16);
    }
    encoder.copyBufferToBuffer(sums, 0, readback, 16, 4);
    const started = performance.now();
    device.queue.submit([encoder.finish()]);
    try {
      await readback.mapAsync(GPUMapMode.READ);
    } catch (error) {
      throw await gpu.reasonOf(error);
    }
    const wall = (performance.now() - started) / 1000;
    const mapped = readback.getMappedRange();
    const [from, to] = new BigUint64Array(mapped, 0, 2);
    const [sum] = new Float32Array(mapped, 16, 1);
    readback.unmap();
    gpu.check();
    if (!Number.isFinite(sum) || sum === 0) {
      throw new R2poError('issue rate', `expected the sum of four chains, got ${sum}; the device did not run them`);
    }
    // A frozen clock is not used, because no number of passes would suffice by it.
    return to! > from! ? { seconds: Number(to! - from!) / 1e9, clock: 'gpu' } : { seconds: wall, clock: 'wall' };
  };

  try {
    let passes = 1;
    while ((await dispatch(passes)).seconds < minSeconds) passes *= 2;
    let best = await dispatch(passes);
    for (let i = 1; i < dispatches; i++) {
      const next = await dispatch(passes);
      if (next.seconds < best.seconds) best = next;
    }
    return { operationsPerSecond: (invocations * operationsPerPass * passes) / best.seconds, clock: best.clock };
  } finally {
    for (const used of [job, sums, stamps, readback, queries]) used?.destroy();
  }
}
