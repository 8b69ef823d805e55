/**
 * One training in its run folder: the trainer's snapshots are evaluated as the candidates of a search are, the best one is
 * kept, and the re-check plays it on fresh seeds. All that is reported follows from the record.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { interruption } from '../base/async.ts';
import { exitCodes, R2poError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { makeOwnFolder, replaceFile } from '../base/node/atomic-file.ts';
import { byNaturalOrder, listFolder } from '../base/node/walk.ts';
import { loadPolicy } from '../config/read-policy.ts';
import type { Env } from '../envs/env.ts';
import { findEnv } from '../envs/registry.ts';
import type { Summary } from '../evaluation/summary.ts';
import { readModel } from '../interop/sb3/model.ts';
import { buildPolicy } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import type { PolicyDocument } from '../policies/policy-file.ts';
import type { Backend } from '../rollout/backend.ts';
import { Player } from '../runs/drivers/player.ts';
import { parseRunFile } from '../runs/folder/files.ts';
import { environmentFacts, type Manifest } from '../runs/folder/manifest.ts';
import { compareJournal, refusalOf } from '../runs/folder/missing.ts';
import { RunFiles } from '../runs/folder/run-files.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import type { EventBody, RunEvent } from '../runs/journal/events.ts';
import { Journal } from '../runs/journal/journal.ts';
import { LostLockError, watchLock } from '../runs/journal/lock.ts';
import { RunTotals } from '../runs/journal/totals.ts';
import { deriveSeed } from '../runs/seeds.ts';
import { baselineLayout, type FoundBaseline, format, openBaseline } from './run-folder.ts';
import type { BaselineConfig } from './settings.ts';
import { BrokenTrainingError, figuresSchema, Trainer, type TrainingFigures, writeJob } from './trainer.ts';

const trainingFolder = 'training';
const bestModel = 'best_model';

/** The model of the best policy of a training. */
export const bestModelPath = (folder: string): string => join(folder, trainingFolder, `${bestModel}.zip`);

const statistics = '.vecnormalize.pkl';

export interface BaselineProgress {
  /** null: news of the training alone */
  readonly event: RunEvent | null;
  readonly totals: RunTotals;
  readonly iterations: number;
  /** s until the training has its budget; null: not known yet */
  readonly etaSeconds: number | null;
  readonly training: TrainingFigures | null;
}

export interface BaselineOptions {
  readonly folder: string;
  /** path of a Python with the packages */
  readonly python: string;
  readonly backend: Backend;
  readonly argv: readonly string[];
  /** why `auto` chose the backend; null: it was asked for, or recorded */
  readonly backendWhy?: string | null;
  /** what the user types to resume */
  readonly resumeCommand: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BaselineProgress) => void) | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * Runs a training to its end and returns its summary; a finished one only gets its files back. Throws what stopped it, and a
 * usage error, before anything is changed, for a journal that holds less than the other files say.
 */
export async function executeBaseline(options: BaselineOptions): Promise<RunSummary> {
  const { folder } = options;
  const found = openBaseline(folder);
  const stale = await watchLock(folder, options);
  const compared = compareJournal(folder);
  if (compared.missing.length > 0) throw refusalOf(folder, compared);
  const journal = Journal.open(folder, undefined, { stale, reader: compared.reader });
  try {
    return await new TrainingRun(found, options, journal).run();
  } finally {
    journal.close();
  }
}

/** A snapshot of the policy: its files, and how far the training was. */
interface Snapshot {
  readonly index: number;
  readonly figures: TrainingFigures;
}

class TrainingRun {
  readonly #options: BaselineOptions;
  readonly #config: BaselineConfig;
  readonly #journal: Journal;
  readonly #files: RunFiles;
  readonly #env: Env;
  readonly #place: string;
  readonly #totals = new RunTotals();
  readonly #policies = new Map<string, Policy>();
  /** of all evaluations during the training */
  readonly #evaluated = { episodes: 0, steps: 0 };
  #manifest: Manifest;
  #training: TrainingFigures | null = null;
  /** share of the budget and s since, at the start of this session */
  #start: { readonly share: number; readonly time: number } | null = null;

  constructor({ config, manifest }: FoundBaseline, options: BaselineOptions, journal: Journal) {
    const { env, method, seed } = config;
    const facts = { env, method, seed, model: 'none', prices: {}, evaluation: { backend: config.evaluation.backend } };
    this.#options = options;
    this.#config = config;
    this.#manifest = manifest;
    this.#journal = journal;
    this.#env = findEnv(env);
    this.#place = join(options.folder, trainingFolder);
    this.#files = new RunFiles(options.folder, facts, null);
    for (const event of journal.log.events) this.#add(event);
  }

  async run(): Promise<RunSummary> {
    if (this.#journal.log.torn !== null) this.#options.onNotice?.(this.#journal.log.torn);
    if (this.#totals.status === 'finished') return this.#save();
    await this.#begin();
    try {
      await this.#train();
      await this.#recheck();
      await this.#append({ type: 'run_finished' });
      const summary = await this.#save();
      this.#removeCheckpoint();
      return summary;
    } catch (thrown) {
      const { signal, resumeCommand } = this.#options;
      const error = signal?.aborted && !(thrown instanceof LostLockError) ? interruption(signal) : thrown;
      await this.#recordStop(error);
      if (!(error instanceof R2poError) || error instanceof LostLockError || error instanceof BrokenTrainingError)
        throw error;
      if (error.exitCode === exitCodes.usage) throw error;
      const { unit, detail, exitCode } = error;
      throw new R2poError(unit, `${detail}; resume with: ${resumeCommand}`, { exitCode, cause: error });
    }
  }

  async #append(body: EventBody): Promise<void> {
    const event = await this.#journal.append(body);
    this.#add(event);
    this.#report(event);
  }

  #add(event: RunEvent): void {
    this.#totals.add(event);
    if (event.type !== 'evaluated') return;
    this.#evaluated.episodes += event.summary.episodes;
    this.#evaluated.steps += event.summary.steps;
  }

  async #begin(): Promise<void> {
    const { backend, argv, backendWhy = null } = this.#options;
    const resumed = this.#totals.sessions > 0;
    if (this.#journal.log.events.length === 0) {
      const unknown = ['policies: their parameters are in the models beside this record'];
      const source = `${this.#config.env}/${this.#config.method}`;
      await this.#append({ type: 'imported', format, layout: baselineLayout, source, unknown });
    }
    await this.#append({
      type: 'run_started',
      resumed,
      config_hash: this.#manifest.config_hash,
      backend: backend.id,
      adapter: backend.adapter,
      model: 'none',
      model_kind: 'none',
    });
    const why = backendWhy !== null && { backend_why: backendWhy };
    this.#manifest = { ...this.#manifest, ...environmentFacts(), ...why, argv: [...argv], stopped: null };
    makeOwnFolder(this.#place);
    writeJob(this.#place, this.#config);
    await this.#save();
  }

  /** Follows the trainer until its end; whatever ends this first ends it too. */
  async #train(): Promise<void> {
    const { python, signal, onNotice } = this.#options;
    const trainer = new Trainer(python, this.#place);
    const stop = () => trainer.stop();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    let isStopped = false;
    try {
      for await (const line of trainer.lines()) {
        if (line.type === 'failed') continue;
        const { episodes, steps, seconds, training_mean } = line;
        this.#training = { episodes, steps, seconds, training_mean };
        if (line.type === 'started') {
          this.#start = { share: this.#share(), time: performance.now() };
          replaceFile(join(this.#place, 'versions.json'), jsonText(line.versions), 'rebuildable');
          if (line.resumed) onNotice?.(`the training continues after ${episodes} episodes and ${steps} steps`);
          await this.#evaluateLeftovers(line.index);
        } else if (line.type === 'snapshot') {
          await this.#evaluate({ index: line.index, figures: this.#training });
        } else if (line.type === 'stopped') isStopped = true;
        this.#report(null);
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      trainer.end();
    }
    if (isStopped) throw signal ? interruption(signal) : new R2poError('training', 'the training was stopped');
  }

  /** Snapshots up to number `last` that an earlier session left behind. */
  async #evaluateLeftovers(last: number): Promise<void> {
    const folder = join(this.#place, 'snapshots');
    const names = existsSync(folder) ? listFolder(folder).files : [];
    for (const name of names.filter((one) => one.endsWith('.zip')).sort(byNaturalOrder)) {
      const index = Number(name.slice(0, -'.zip'.length));
      const figures = join(folder, name.replace(/\.zip$/, '.json'));
      if (!(index <= last) || !existsSync(figures)) continue;
      const parsed = figuresSchema.safeParse(parseRunFile(figures, 'JSON', JSON.parse));
      if (!parsed.success) {
        throw new R2poError(
          'training',
          `expected in "${figures}" how far the training was, got something else; remove the snapshot`,
        );
      }
      const { index: _, ...rest } = parsed.data;
      await this.#evaluate({ index, figures: rest });
    }
  }

  #policyOf({ kind, options }: PolicyDocument): Policy {
    const key = JSON.stringify([kind, options]);
    const known = this.#policies.get(key) ?? buildPolicy(kind, this.#env, options);
    // Normalised observations change the options with every snapshot.
    this.#policies.clear();
    this.#policies.set(key, known);
    return known;
  }

  #player(policy: Policy): Player {
    const { backend } = this.#options;
    const { max_steps: maxSteps, success_threshold: successThreshold } = this.#config.evaluation;
    // Without the signal: what was trained is evaluated before the run stops.
    return new Player({ backend, env: this.#env, policy, maxSteps, successThreshold, keepOutcomes: false });
  }

  async #play(policy: Policy, params: readonly number[], episodes: number, seed: number): Promise<Summary> {
    return (await this.#player(policy).play(params, episodes, seed)).summary(0);
  }

  async #evaluate({ index, figures }: Snapshot): Promise<void> {
    const stem = join(this.#place, 'snapshots', String(index).padStart(6, '0'));
    // A training that was killed repeats what followed its checkpoint.
    if (index > this.#totals.rows.length) {
      const { document } = readModel(`${stem}.zip`, this.#env);
      const seed = deriveSeed(this.#config.seed, 'evaluation', index);
      const { episodes } = this.#config.evaluation;
      const summary = await this.#play(this.#policyOf(document), document.params, episodes, seed);
      const { best } = this.#totals;
      if (best === null || summary.mean >= best.mean) this.#keep(stem, document);
      await this.#record(index, figures, seed, summary);
    }
    for (const end of ['.zip', '.json', statistics]) rmSync(`${stem}${end}`, { force: true });
  }

  /** Before it is recorded: a process that ends between the two evaluates the same snapshot again. */
  #keep(stem: string, document: PolicyDocument): void {
    const best = join(this.#place, bestModel);
    rmSync(`${best}${statistics}`, { force: true });
    for (const end of ['.zip', statistics])
      if (existsSync(`${stem}${end}`)) replaceFile(`${best}${end}`, readFileSync(`${stem}${end}`), 'durable');
    replaceFile(join(this.#options.folder, 'best.json'), jsonText(document), 'durable');
  }

  async #record(iteration: number, figures: TrainingFigures, seed: number, summary: Summary): Promise<void> {
    const isCharged = this.#config.sb3.budget === 'evaluated-episodes';
    const call = { iteration, candidate: 'proposal', params: [] };
    await this.#append({ type: 'evaluated', ...call, adjustments: [], seed, summary, paired: null });
    const charged = isCharged ? this.#evaluated : { episodes: 0, steps: 0 };
    const logged = {
      cpu_s: figures.seconds,
      api_s: 0,
      episodes: figures.episodes + charged.episodes,
      steps: figures.steps + charged.steps,
      reward: summary.mean,
    };
    await this.#append({
      type: 'iteration',
      iteration,
      kept: 'proposal',
      why: 'a training has one policy at a time',
      candidates: [{ label: 'proposal', params: [], mean: summary.mean }],
      trial: null,
      logged,
    });
    await this.#save();
  }

  async #recheck(): Promise<void> {
    const { best, rechecked } = this.#totals;
    if (best === null || rechecked !== null) return;
    // Not from the model: beside it, a checkpoint has the statistics of another time.
    const { policy, params } = await loadPolicy(this.#options.folder, this.#env);
    const seed = deriveSeed(this.#config.seed, 'recheck', 0);
    const summary = await this.#play(policy, [...params], this.#config.recheck.episodes, seed);
    await this.#append({ type: 'rechecked', iteration: best.iteration, params: [], seed, summary });
  }

  #share(): number {
    const { training_episodes: episodes, training_steps: steps } = this.#config.sb3;
    const done = this.#training;
    if (done === null) return 0;
    return episodes === null ? done.steps / steps! : done.episodes / episodes;
  }

  #etaSeconds(): number | null {
    const [start, share] = [this.#start, this.#share()];
    if (start === null || share <= start.share) return null;
    const pace = (performance.now() - start.time) / 1000 / (share - start.share);
    return pace * Math.max(0, 1 - share);
  }

  #report(event: RunEvent | null): void {
    const { iterations } = this.#config;
    const etaSeconds = this.#etaSeconds();
    this.#options.onProgress?.({ event, totals: this.#totals, iterations, etaSeconds, training: this.#training });
  }

  async #save(): Promise<RunSummary> {
    this.#journal.check();
    const summary = await this.#files.write(this.#totals, this.#journal.end);
    const { status, backend, adapter, modelKind } = this.#totals;
    this.#manifest = { ...this.#manifest, status, backend, adapter, model_kind: modelKind };
    await this.#files.writeManifest(this.#manifest);
    return summary;
  }

  async #recordStop(error: unknown): Promise<void> {
    if (error instanceof LostLockError || !this.#journal.writable) return;
    const reason = error instanceof Error ? error.message : String(error);
    const exitCode = error instanceof R2poError ? error.exitCode : exitCodes.failed;
    try {
      await this.#append({ type: 'run_stopped', reason, exit_code: exitCode });
      this.#manifest = { ...this.#manifest, stopped: { reason, exit_code: exitCode } };
      await this.#save();
    } catch (second) {
      // The first failure is the one to report; the record is complete anyway.
      if (!(second instanceof R2poError)) throw second;
      this.#options.onNotice?.(second.message);
    }
  }

  /** Nothing continues a finished training, and a replay buffer is large. */
  #removeCheckpoint(): void {
    for (const name of ['checkpoint', 'checkpoint.old', 'checkpoint.new', 'snapshots']) {
      rmSync(join(this.#place, name), { recursive: true, force: true });
    }
  }
}
