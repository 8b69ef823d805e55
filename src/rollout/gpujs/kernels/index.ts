/** The environments of this package that GPU.js can play. One of a user brings its kernel in its spec. */
import { acrobot } from '../../../envs/acrobot/index.ts';
import { cartpole } from '../../../envs/cartpole/index.ts';
import type { Env, GpujsKernel } from '../../../envs/env.ts';
import { mountaincar } from '../../../envs/mountaincar/index.ts';
import { mountaincarContinuous } from '../../../envs/mountaincar-continuous/index.ts';
import { changedEnv } from '../../../envs/origin.ts';
import { pendulum } from '../../../envs/pendulum/index.ts';
import { acrobotKernel } from './acrobot.ts';
import { cartpoleKernel } from './cartpole.ts';
import { mountaincarKernel } from './mountaincar.ts';
import { mountaincarContinuousKernel } from './mountaincar-continuous.ts';
import { pendulumKernel } from './pendulum.ts';

/** by the id of the environment, whatever its options */
const kernels = new Map<string, GpujsKernel>([
  [acrobot.id, acrobotKernel],
  [cartpole.id, cartpoleKernel],
  [mountaincar.id, mountaincarKernel],
  [mountaincarContinuous.id, mountaincarContinuousKernel],
  [pendulum.id, pendulumKernel],
]);

export type KernelEnv = Env & { readonly gpujs: GpujsKernel };

/** The environment with its kernel; null: it has none. */
export function withKernel(env: Env): KernelEnv | null {
  const gpujs = env.gpujs ?? kernels.get(env.id) ?? null;
  return gpujs && (changedEnv(env, { gpujs }) as KernelEnv);
}
