/** The library: what a program that uses r2po may rely on. The command line is built from the same parts. */
export { exitCodes, R2poError } from './base/errors.ts';
export { Generator } from './base/rng/generator.ts';
export { SeedSequence } from './base/rng/seed-sequence.ts';
export { compareBackends, type ParityReport } from './checks/parity.ts';
export { defineEnv, type Env, type Spaces } from './envs/env.ts';
export { envs } from './envs/index.ts';
export { findEnv } from './envs/registry.ts';
export { type EvaluateRequest, type EvaluateResult, evaluate } from './evaluation/evaluate.ts';
export { type Summary, summarise } from './evaluation/summary.ts';
export { buildPolicy, policyKinds } from './policies/index.ts';
export type { Policy, PolicyKind } from './policies/policy.ts';
export type { Backend } from './rollout/backend.ts';
export { openCpuBackend } from './rollout/cpu/node/backend.ts';
export { type EndCause, type Episodes, endCauses, type RolloutJob, type Trace } from './rollout/job.ts';
export { openBackend } from './rollout/node/open.ts';
