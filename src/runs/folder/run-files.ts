/** The files of a run folder that are derived from its events: `--resume` writes deleted ones again. */
import { join } from 'node:path';
import { jsonText } from '../../base/json.ts';
import { clearDrafts, makeOwnFolder, replaceFileAsync } from '../../base/node/atomic-file.ts';
import { manifestName } from '../../config/recorded.ts';
import type { Config } from '../../config/schema.ts';
import type { Policy } from '../../policies/policy.ts';
import { policyDocument } from '../../policies/policy-file.ts';
import type { IterationRow, IterationRows } from '../journal/iteration-rows.ts';
import type { RecordEnd } from '../journal/record.ts';
import type { RunTotals } from '../journal/totals.ts';
import type { Manifest } from './manifest.ts';
import { MetricsFile } from './metrics.ts';
import { keepPrices } from './recorded-prices.ts';
import { type RunFacts, type RunSummary, summarize } from './summary.ts';
import { encodeScalars, ScalarFile, type ScalarStep } from './tensorboard.ts';

function scalars(row: IterationRow, startTime: number): ScalarStep {
  return {
    step: row.iteration,
    wallTime: startTime / 1000 + row.wall_s,
    values: {
      'reward/kept': row.mean,
      'reward/best': row.best,
      ...Object.fromEntries(Object.entries(row.candidates).map(([label, mean]) => [`reward/${label}`, mean])),
      'llm/tokens': row.prompt_tokens + row.completion_tokens,
    },
  };
}

/** The name stays the same over sessions, so that TensorBoard does not show a run twice. `startTime`: ms since 1970 */
const scalarName = (startTime: number): string =>
  join('tb', `events.out.tfevents.${Math.floor(startTime / 1000)}.r2po`);

/** The TensorBoard file that follows from the record; null before the first session. */
export function scalarFileOf({ rows, startTime }: Pick<RunTotals, 'rows' | 'startTime'>) {
  if (startTime === null) return null;
  const steps = rows.from(0).map((row) => scalars(row, startTime));
  return { name: scalarName(startTime), bytes: encodeScalars(startTime / 1000, steps) };
}

export class RunFiles {
  readonly folder: string;
  private readonly facts: RunFacts & Partial<Pick<Config, 'env_options'>>;
  private readonly policy: Policy | null;
  private readonly metrics: MetricsFile;
  private scalarFile: ScalarFile | null = null;
  private pricesAreKept = false;
  /** the latest text of each file: in most iterations the best policy stays the same */
  private readonly written = new Map<string, string>();

  /** `policy`: null for an imported training, which has none */
  constructor(folder: string, facts: RunFacts & Partial<Pick<Config, 'env_options'>>, policy: Policy | null) {
    this.folder = folder;
    this.facts = facts;
    this.policy = policy;
    const inside = [join(folder, 'trajectories'), join(folder, 'tb')];
    inside.forEach(makeOwnFolder);
    for (const place of [folder, ...inside]) clearDrafts(place);
    this.metrics = new MetricsFile(join(folder, 'metrics.csv'));
  }

  private path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  writeManifest(manifest: Manifest): Promise<void> {
    return replaceFileAsync(this.path(manifestName), jsonText(manifest), 'durable');
  }

  /**
   * Summary, metrics, best policy, the TensorBoard scalars and the prices that the cost is counted by, of what `totals` holds
   * at the call, where the record goes up to `end`. Calls must not overlap.
   */
  async write(totals: RunTotals, end: RecordEnd): Promise<RunSummary> {
    // First: the cost in the summary follows from them.
    if (!this.pricesAreKept) keepPrices(this.folder, this.facts.prices ?? {});
    this.pricesAreKept = true;
    const summary = summarize(this.facts, totals, end);
    const { best } = totals;
    const { policy } = this;
    const { env, env_options = {} } = this.facts;
    const texts = [
      { name: 'summary.json', text: jsonText(summary) },
      // An imported run may not say what the parameters of its best policy were.
      ...(best && policy?.paramCount === best.params.length
        ? [{ name: 'best.json', text: jsonText(policyDocument(policy, best.params, { env, env_options })) }]
        : []),
    ];
    const scalarFile = this.writeScalars(totals.rows, totals.startTime);
    const metrics = this.metrics.write(totals.rows);
    await Promise.all([scalarFile, metrics, ...texts.map(({ name, text }) => this.replace(name, text))]);
    return summary;
  }

  private async replace(name: string, text: string): Promise<void> {
    if (this.written.get(name) === text) return;
    this.written.delete(name);
    await replaceFileAsync(this.path(name), text, 'rebuildable');
    this.written.set(name, text);
  }

  private scalarSteps = 0;

  private async writeScalars(rows: IterationRows, startTime: number | null): Promise<void> {
    if (startTime === null) return;
    const steps = rows.from(this.scalarSteps).map((row) => scalars(row, startTime));
    this.scalarSteps = rows.length;
    if (!this.scalarFile) {
      this.scalarFile = await ScalarFile.create(this.path(scalarName(startTime)), startTime / 1000, steps);
    } else if (steps.length > 0) {
      await this.scalarFile.append(steps);
    }
  }
}
