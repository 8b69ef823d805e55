/** tanh.wgsl against float64. */
import { afterAll, expect, it } from 'vitest';
import { Generator } from '../../../src/base/rng/generator.ts';
import { describeGpu } from '../../support/gpu.ts';
import { closeKernelDevice, runKernel } from '../../support/kernel.ts';

afterAll(closeKernelDevice);

describeGpu('tanh.wgsl', () => {
  const limit = 2;

  async function tanh(points: Float32Array): Promise<Float32Array> {
    const code = 'fn kernel(i: u32) { output[i] = bitcast<u32>(tanh_accurate(bitcast<f32>(input[i]))); }';
    const count = points.length;
    return new Float32Array(
      await runKernel({ files: ['lib/tanh.wgsl'], code, input: points, outputWords: count, invocations: count }),
    );
  }

  /** Largest error in units of the last place of the exact result; NaN when there is one. */
  async function worst(points: Float32Array): Promise<number> {
    const got = await tanh(points);
    let error = 0;
    points.forEach((x, i) => {
      const exact = Math.tanh(x);
      const unit = 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(exact))) - 23);
      error = Math.max(error, exact === 0 ? Math.abs(got[i]!) : Math.abs(got[i]! - exact) / unit);
    });
    return error;
  }

  it('is within 2 units in the last place on a dense grid up to where it is flat', async () => {
    const count = 1_000_000;
    expect(await worst(Float32Array.from({ length: count }, (_x, i) => 10 * ((2 * i) / (count - 1) - 1)))).toBeLessThan(
      limit,
    );
  });

  it('is within 2 units at random points of every magnitude', async () => {
    const rng = Generator.from(613);
    const sign = () => 2 * rng.integers(0, 2) - 1;
    expect(await worst(Float32Array.from({ length: 300_000 }, () => sign() * 2 ** rng.uniform(-100, 5)))).toBeLessThan(
      limit,
    );
  });

  it('is odd, and exactly 1 for large arguments', async () => {
    const points = [0, 0.1, 0.6249999, 0.625, 0.6250001, 3, 9.1, 20, 100, 1e30];
    const got = await tanh(Float32Array.from([...points, ...points.map((x) => -x)]));
    points.forEach((_, i) => {
      expect(got[points.length + i]! + got[i]!).toBe(0);
    });
    expect(Array.from(got.subarray(6, 10))).toEqual([1, 1, 1, 1]);
  });
});
