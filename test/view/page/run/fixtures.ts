/** Runs as the page receives them, as small as a test needs them. */
import type { CallRow, Iteration, RunPage } from '../../../../src/view/api/run.ts';
import type { Candidate } from '../../../../src/view/page/run/run-data.ts';

export const candidate = (label: string, params: readonly number[], mean: number | null): Candidate => ({
  label,
  params: [...params],
  mean,
  ci95: mean === null ? null : [mean - 2, mean + 3],
  std: 4,
  episodes: 20,
  success: 0.5,
  episode: null,
  adjustments: [],
  byOptimiser: false,
});

export function iteration(number: number, change: Partial<Iteration> = {}): Iteration {
  const candidates = change.candidates ?? [
    candidate('proposal', [number, 1], 10 + number),
    candidate('revision', [number, 2], 20 + number),
  ];
  return {
    iteration: number,
    kept: 'revision',
    why: 'better',
    paired: null,
    mean: 20 + number,
    best: 20 + number,
    calls: [],
    generation: null,
    episodes: 40 * number,
    steps: 900 * number,
    tokens: 300 * number,
    costUsd: null,
    seconds: 1.5 * number,
    ...change,
    candidates,
  };
}

export const call = (seq: number, at: number, purpose: string, attempt = 0): CallRow => ({
  seq,
  iteration: at,
  purpose,
  attempt,
  model: 'm',
  promptTokens: 100,
  completionTokens: 20,
  cachedTokens: null,
  reasoningTokens: null,
  latencySeconds: 1,
  finish: 'stop',
  requests: 1,
  problem: null,
});

export function runPage(change: Partial<RunPage> = {}): RunPage {
  return {
    row: {
      id: 'a/b',
      status: 'running',
      problem: null,
      env: 'CartPole-v1',
      method: 'r2po',
      model: 'm',
      modelKind: 'model',
      seed: 0,
      iterations: 0,
      planned: 30,
      best: null,
      bestCi95: null,
      rechecked: null,
      episodes: 0,
      steps: 0,
      calls: 0,
      tokens: 0,
      costUsd: null,
      wallSeconds: 0,
      started: null,
      updated: null,
      sparkline: [],
      branch: null,
    },
    config: '',
    command: null,
    resume: null,
    canBranch: true,
    playable: null,
    names: null,
    warmup: [],
    iterations: [],
    calls: [],
    spans: [],
    every: 1,
    optimiser: null,
    projection: null,
    notices: [],
    ...change,
  };
}
