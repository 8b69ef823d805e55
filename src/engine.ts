/**
 * The engine without Node, for pages: `import { ... } from 'r2po-webgpu/engine'`. Nothing here reads a file or starts a
 * worker; the device comes from the page.
 */
export { AdapterError, DeviceError, R2poError, UsageError } from './base/errors.ts';
export { Generator } from './base/rng/generator.ts';
export { defineEnv, type Env, type EnvOptions, type EnvSpec, type ShaderText, type Spaces } from './envs/env.ts';
export { envs } from './envs/index.ts';
export { findEnv } from './envs/registry.ts';
export { animate } from './evaluation/animation.ts';
export { type EvaluateRequest, type EvaluateResult, evaluate } from './evaluation/evaluate.ts';
export { type Summary, summarise } from './evaluation/summary.ts';
export { buildPolicy, policyKinds } from './policies/index.ts';
export type { Policy, PolicyKind, PolicyOptions } from './policies/policy.ts';
export type { Backend, PlayOptions } from './rollout/backend.ts';
export { SingleThreadBackend } from './rollout/cpu/single-thread.ts';
export { type EndCause, type Episodes, endCauses, type RolloutJob, type Trace } from './rollout/job.ts';
export type { EpisodePick } from './rollout/statistics.ts';
export { openWasmBackend } from './rollout/wasm/page.ts';
export type { WebGpuOptions } from './rollout/webgpu/backend.ts';
export { type GpuDevice, openGpuDevice } from './rollout/webgpu/device.ts';
export { openWebGpuBackend } from './rollout/webgpu/page.ts';
