/** Writes run folders with the files that reports read, without playing episodes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunFacts {
  readonly env?: string;
  readonly method?: string;
  readonly model?: string;
  readonly kind?: 'model' | 'offline' | 'none';
  readonly seed?: number;
  readonly status?: 'finished' | 'stopped';
  /** kept means, one per iteration; null for an iteration that kept none */
  readonly means?: readonly (number | null)[];
  readonly rechecked?: number | null;
  readonly episodesPerIteration?: number;
  /** further lines of the configuration */
  readonly settings?: string;
  /** false: as runs were written before they counted calls by iteration */
  readonly countsCalls?: boolean;
  /** true: a training by another program, whose policies are networks */
  readonly isTraining?: boolean;
  /** wall time of an iteration, s; left out: no such column */
  readonly secondsPerIteration?: number;
}

/** Writes a run folder as a run leaves it, as far as reports read it. */
export function writeRun(folder: string, facts: RunFacts = {}): string {
  const { env = 'CartPole-v1', method = 'r2po', model = 'openai/m', kind = 'model', seed = 3 } = facts;
  const { status = 'finished', means = [10, 30, 20], rechecked = 25, episodesPerIteration = 40 } = facts;
  const { secondsPerIteration: seconds, isTraining = false } = facts;
  const { countsCalls = true, settings = 'evaluation:\n  episodes: 23\n' } = facts;
  const kept = means.flatMap((mean) => (mean === null ? [] : [mean]));
  const best = Math.max(...kept);
  mkdirSync(folder, { recursive: true });
  const manifest = {
    schemaVersion: 1,
    status,
    argv: [],
    created: '2026-01-02T03:04:05.000Z',
    config_hash: folder,
    env,
    method,
    seed,
    git: null,
    versions: { r2po: '0.1.0', node: 'v20', dawn: null },
    backend: 'cpu',
    adapter: null,
    model,
    model_kind: kind,
    stopped: null,
    ...(isTraining && {
      imported: {
        ...{ format: 'a program', layout: 'of its own', source: 'a/run_1', digest: folder },
        training: { rewards: 'means of evaluations', evaluated: true },
      },
    }),
  };
  const summary = {
    status,
    env,
    method,
    model,
    model_kind: kind,
    seed,
    iterations: means.length,
    mean_reward: kept.reduce((a, b) => a + b, 0) / kept.length,
    best_reward: best,
    final_reward: kept[kept.length - 1],
    best: {
      iteration: 2,
      params: [1],
      mean: best,
      rechecked: rechecked === null ? null : { episodes: 500, mean: rechecked, ci95: [rechecked - 2, rechecked + 2] },
    },
    llm: {
      calls: 2 * means.length,
      failed_calls: 1,
      unusable_replies: 0,
      prompt_tokens: 900,
      completion_tokens: 70,
      seconds: 3.5,
      cost_usd: null,
    },
    episodes: 123,
    steps: 4567,
    wall_s: 8.5,
    backend: 'cpu',
    adapter: null,
  };
  const header = `iteration,episodes,steps,kept,mean,best,prompt_tokens,completion_tokens${countsCalls ? ',llm_calls' : ''}${seconds === undefined ? '' : ',wall_s'}`;
  let highest = Number.NEGATIVE_INFINITY;
  const lines = means.map((mean, i) => {
    highest = Math.max(highest, mean ?? highest);
    const cells = [i + 1, 5 + episodesPerIteration * (i + 1), 9, 'proposal', mean ?? '', highest, 100 * (i + 1), i];
    const last = seconds === undefined ? [] : [seconds * (i + 1)];
    return [...cells, ...(countsCalls ? [2 * i + 3] : []), ...last].join(',');
  });
  writeFileSync(join(folder, 'run.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'summary.json'), JSON.stringify(summary));
  writeFileSync(join(folder, 'metrics.csv'), [header, ...lines, ''].join('\n'));
  writeFileSync(join(folder, 'config.yaml'), `env: ${env}\nmethod: ${method}\nseed: ${seed}\n${settings}`);
  return folder;
}
