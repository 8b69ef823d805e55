/** The files of a run folder that are made from its events: they can all be deleted and come back on `--resume`. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { policyDocument } from '../config/policy-file.ts';
import type { Config } from '../config/schema.ts';
import type { Policy } from '../policies/policy.ts';
import type { Trace } from '../rollout/backend.ts';
import { trajectoryDocument } from '../stats/trajectory-file.ts';
import { replaceFile, replaceJson } from './files.ts';
import { type Manifest, manifestName } from './manifest.ts';
import { metricsCsv, type RunSummary, summarize } from './summary.ts';
import type { IterationRow, Tally } from './tally.ts';
import { ScalarFile, type ScalarStep } from './tensorboard.ts';

function scalars(row: IterationRow, startTime: number): ScalarStep {
  return {
    step: row.iteration,
    wallTime: startTime / 1000 + row.wall_s,
    values: {
      'reward/kept': row.mean,
      'reward/best': row.best,
      'reward/proposal': row.proposal,
      'reward/revision': row.revision,
      'llm/tokens': row.prompt_tokens + row.completion_tokens,
    },
  };
}

export class RunFiles {
  readonly folder: string;
  private readonly config: Config;
  private readonly policy: Policy;
  private scalarFile: ScalarFile | null = null;

  constructor(folder: string, config: Config, policy: Policy) {
    this.folder = folder;
    this.config = config;
    this.policy = policy;
    mkdirSync(join(folder, 'trajectories'), { recursive: true });
    mkdirSync(join(folder, 'tb'), { recursive: true });
  }

  private path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  writeManifest(manifest: Manifest): void {
    replaceJson(this.path(manifestName), manifest, 'durable');
  }

  /** Summary, metrics, best policy and the TensorBoard scalars up to now. */
  write(tally: Tally): RunSummary {
    const summary = summarize(this.config, tally);
    replaceJson(this.path('summary.json'), summary, 'rebuildable');
    replaceFile(this.path('metrics.csv'), metricsCsv(tally.rows), 'rebuildable');
    // An imported run may not say what the parameters of its best policy were.
    if (tally.best && tally.best.params.length === this.policy.paramCount)
      replaceJson(this.path('best.json'), policyDocument(this.policy, tally.best.params), 'rebuildable');
    this.writeScalars(tally);
    return summary;
  }

  private scalarSteps = 0;

  private writeScalars({ rows, startTime }: Tally): void {
    if (startTime === null) return;
    if (!this.scalarFile) {
      // The name stays the same over sessions, so that TensorBoard does not show a run twice.
      const path = this.path('tb', `events.out.tfevents.${Math.floor(startTime / 1000)}.r2po`);
      const steps = rows.map((row) => scalars(row, startTime));
      this.scalarFile = new ScalarFile(path, startTime / 1000, steps);
    } else {
      for (const row of rows.slice(this.scalarSteps)) this.scalarFile.append(scalars(row, startTime));
    }
    this.scalarSteps = rows.length;
  }

  /** Writes the median trajectory of an iteration's kept policy, unless it is there from an earlier session. */
  async writeTrajectory(iteration: number, trace: () => Promise<Trace>): Promise<void> {
    const path = this.path('trajectories', `iteration-${String(iteration).padStart(4, '0')}.json`);
    if (existsSync(path)) return;
    replaceFile(path, `${JSON.stringify(trajectoryDocument(await trace()))}\n`, 'rebuildable');
  }
}
