/** Runs a few lines of WGSL, joined with shader library files, on the test adapter. */
import { readAsset } from '../../src/base/node/assets.ts';
import type { GpuDevice } from '../../src/rollout/webgpu/device.ts';
import { openDevice } from '../../src/rollout/webgpu/node/dawn.ts';
import { link } from '../../src/rollout/webgpu/program/link.ts';
import { compile } from '../../src/rollout/webgpu/program/pipeline.ts';

export interface Kernel {
  /** paths under `shaders/` */
  readonly files: readonly string[];
  /**
   * Declares `fn kernel(i: u32)`, which is called for every i below `invocations`, reads `input: array<u32>` and
   * writes `output: array<u32>`.
   */
  readonly code: string;
  readonly input: Uint32Array | Float32Array;
  readonly outputWords: number;
  readonly invocations: number;
}

const WORKGROUP = 64;
const ROW = 1024;

const frame = `
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
override invocations: u32;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ${ROW * WORKGROUP}u + id.x;
  if (i < invocations) {
    kernel(i);
  }
}
`;

let opened: Promise<GpuDevice> | undefined;

/** The test file's one device. */
function testDevice(): Promise<GpuDevice> {
  opened ??= openDevice();
  return opened;
}

/** For `afterAll`. */
export async function closeKernelDevice(): Promise<void> {
  (await opened)?.close();
  opened = undefined;
}

/** Runs the kernel and returns what it wrote, `outputWords` 32-bit words. */
export async function runKernel(kernel: Kernel): Promise<ArrayBuffer> {
  const gpu = await testDevice();
  const { device } = gpu;
  const program = link([
    ...kernel.files.map((path) => ({ path: `shaders/${path}`, text: readAsset(`shaders/${path}`) })),
    { path: 'kernel', text: kernel.code, declares: ['kernel'] },
    { path: 'frame', text: frame },
  ]);
  const bindings = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'read-only-storage' } },
      { binding: 1, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } },
    ],
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [bindings] });
  const pipeline = await compile(device, program, 'main', layout, { invocations: kernel.invocations });
  const bytes = 4 * kernel.outputWords;
  const input = device.createBuffer({
    size: kernel.input.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  const output = device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const readback = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(input, 0, kernel.input.buffer, kernel.input.byteOffset, kernel.input.byteLength);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: bindings,
      entries: [
        { binding: 0, resource: { buffer: input } },
        { binding: 1, resource: { buffer: output } },
      ],
    }),
  );
  const groups = Math.ceil(kernel.invocations / WORKGROUP);
  pass.dispatchWorkgroups(Math.min(groups, ROW), Math.ceil(groups / ROW));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, readback, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  gpu.check();
  const result = readback.getMappedRange().slice(0);
  for (const buffer of [input, output, readback]) buffer.destroy();
  return result;
}
