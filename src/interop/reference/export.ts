/**
 * Exports a run as a log of the Python reference, for its own scripts. A journal contains no steps: the episodes of a
 * search are played again from their seeds, and those of an imported run are restored from its copies.
 */
import { createReadStream, createWriteStream, existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { createGunzip } from 'node:zlib';
import { DiffersError, errorCode, R2poError, UsageError } from '../../base/errors.ts';
import { cannotUse, faultWords } from '../../base/machine-fault.ts';
import { clearDeadDrafts, replaceFile, writeDraft } from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import { listFolder } from '../../base/node/walk.ts';
import type { PickedEpisode, Summary } from '../../evaluation/summary.ts';
import type { CandidateLabel } from '../../methods/method.ts';
import type { Backend } from '../../rollout/backend.ts';
import type { RolloutJob, Trace } from '../../rollout/job.ts';
import { refuseTraining } from '../../runs/folder/folder.ts';
import { differingKeys } from '../../runs/folder/identity.ts';
import type { Manifest } from '../../runs/folder/manifest.ts';
import { requireWholeJournal } from '../../runs/folder/missing.ts';
import { changedSource } from '../../runs/folder/module-source.ts';
import { readRun } from '../../runs/folder/read-run.ts';
import type { EventOf, RunEvent } from '../../runs/journal/events.ts';
import { type WholeEvent, walkEvents } from '../../runs/journal/journal.ts';
import { RunTotals } from '../../runs/journal/totals.ts';
import { type RunUnits, resolveUnits } from '../../runs/resolve-units.ts';
import { rolloutsFolder, rolloutsName, warmupName } from '../common/embedded-files.ts';
import { maxRollouts } from './files.ts';
import {
  episodeFolder,
  experimentName,
  type Layout,
  type LoggedMethod,
  layoutOf,
  layouts,
  loggedMethods,
  logHeader,
  logName,
  parametersName,
  reasoningName,
  warmupFolder,
} from './layout.ts';
import { readsBack, withPlainLine } from './plain-line.ts';
import { type LogFacts, type LoggedTexts, provenanceCopy, provenanceName, provenanceText } from './provenance.ts';
import { type Exchange, readReasoning, writeFloat, writeLinear, writeReasoning, writeTable } from './text.ts';
import { variantOf } from './variant.ts';

export interface ExportableRun {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly units: RunUnits;
  readonly events: readonly RunEvent[];
  readonly method: LoggedMethod;
  readonly layout: Layout;
  /** `cartpole_props`, `cartpole_tau_c_sensitivity_half` */
  readonly experiment: string;
  /** id of the backend that replays its episodes; null for an imported run */
  readonly backend: string | null;
  /** how the environment's code differs from that of the run, in words; null: it does not, as far as that is known */
  readonly changed: string | null;
}

/** Reads a run for export. Throws a usage error when it is not a run, is damaged, or does not fit the layout. */
export async function openExportableRun(folder: string): Promise<ExportableRun> {
  const run = readRun(folder);
  const { manifest } = run;
  refuseTraining(folder, manifest, 'export');
  const units = resolveUnits(await run.config());
  const { events } = requireWholeJournal(folder);
  const method = loggedMethods.find(({ id }) => id === units.method.id);
  if (!method)
    throw new UsageError('export', `expected a method of the reference, got "${units.method.id}"; use --format csv`);
  const episodes = units.settings.evaluationEpisodes;
  if (episodes > maxRollouts) {
    throw new UsageError(
      'export',
      `expected at most ${maxRollouts} episodes per evaluation, because the reference logs every step, got ${episodes} ` +
        `in "${folder}"; use --format csv`,
    );
  }
  const layout = layouts.find(({ id }) => id === manifest.imported?.layout) ?? layoutOf(method.layout);
  const started = events.find((event) => event.type === 'run_started');
  const backend = manifest.imported ? null : (started?.backend ?? null);
  const experiment = experimentName(units.env, method, await variantOf(units, method));
  const changed = changedSource(manifest, units.env, units.method);
  return { folder, manifest, units, events, method, layout, experiment, backend, changed };
}

/** The events of one iteration. */
interface LoggedIteration {
  readonly outcome: EventOf<'iteration'>;
  readonly evaluated: ReadonlyMap<CandidateLabel, EventOf<'evaluated'>>;
  readonly exchanges: readonly Exchange[];
}

/** The last attempt of each call, unless it stayed unusable: the reference logs only what led to a policy. */
function exchangesOf(events: readonly WholeEvent[]): Exchange[] {
  const calls: { readonly prompt: string; last: EventOf<'llm_call'>; refused: boolean }[] = [];
  for (const { event, messages } of events) {
    const current = calls.at(-1);
    if (event.type === 'llm_call') {
      if (event.attempt === 0 || !current) {
        const prompt = (messages ?? []).map(({ content }) => content).join('\n\n');
        calls.push({ prompt, last: event, refused: false });
      } else Object.assign(current, { last: event, refused: false });
    } else if (event.type === 'parse_failed' && current) current.refused = true;
  }
  return calls
    .filter(({ refused }) => !refused)
    .map(({ prompt, last }) => ({ purpose: last.purpose, prompt, reply: last.reply.text }));
}

const four = (value: number): string => value.toFixed(4);

/** Writes the files of one run into `target`, which must not contain another run. */
export async function exportRun(run: ExportableRun, target: string, backend: Backend | null): Promise<void> {
  const totals = new RunTotals();
  const rows: string[] = [`${logHeader}\n`];
  const texts: Record<string, LoggedTexts> = {};
  let pending: WholeEvent[] = [];
  makeFolder(join(target, warmupFolder));
  for (const whole of walkEvents(run.folder)) {
    const { event } = whole;
    totals.add(event);
    if (event.type === 'warmup') await exportWarmup(run, event, target, backend);
    pending.push(whole);
    if (event.type !== 'iteration') continue;
    const evaluated = new Map(
      pending.flatMap(({ event: e }) => (e.type === 'evaluated' ? [[e.candidate, e] as const] : [])),
    );
    const iteration: LoggedIteration = { outcome: event, evaluated, exchanges: exchangesOf(pending) };
    pending = [];
    const last = totals.rows.at(-1);
    const reward = event.logged?.reward ?? last?.mean ?? null;
    // The reference asks again until it has a policy, so an iteration without one has no log.
    if (reward === null || !last) continue;
    const logged = event.logged ?? {
      cpu_s: last.wall_s,
      api_s: last.llm_seconds,
      episodes: last.episodes,
      steps: last.steps,
    };
    const { cpu_s, api_s, episodes, steps } = logged;
    rows.push(
      `${[event.iteration, writeFloat(cpu_s), writeFloat(api_s), episodes, steps, writeFloat(reward)].join(', ')}\n`,
    );
    const written = await exportIteration(run, iteration, target, backend);
    if (written) texts[event.iteration] = written;
  }
  const log = rows.join('');
  const { branch, iterations } = run.manifest;
  await exportProvenance(run, target, totals, { branch, iterations, log, texts });
  // Written last: a log without it counts as unfinished.
  replaceFile(join(target, logName), log, 'rebuildable');
}

/** Writes the provenance file; for an imported run only if its log had one. */
async function exportProvenance(
  run: ExportableRun,
  target: string,
  totals: RunTotals,
  written: LogFacts,
): Promise<void> {
  const path = join(target, provenanceName);
  if (run.manifest.imported) {
    await restoreCopy(join(run.folder, rolloutsFolder, provenanceCopy), path);
    return;
  }
  const text = provenanceText(run.units.config, run.events, totals, written);
  if (text !== null) replaceFile(path, text, 'rebuildable');
}

async function exportWarmup(
  run: ExportableRun,
  event: EventOf<'warmup'>,
  target: string,
  backend: Backend | null,
): Promise<void> {
  const path = join(target, warmupFolder, `warmup_rollout_${event.index}.txt`);
  if (await restoreCopy(join(run.folder, rolloutsFolder, warmupName(event.index)), path)) return;
  if (event.recorded !== undefined) {
    // Its episodes were played by another search; only their mean is known.
    const text = `${event.params.map(writeFloat).join(', ')}\n${firstLines}Total reward: ${writeFloat(event.return)}\n`;
    replaceFile(path, text, 'rebuildable');
    return;
  }
  if (!backend) return;
  const job = jobOf(run, event.params, 1, event.seed);
  await writeRollouts(path, run, job, backend, (returns) => returns[0] === event.return);
}

function jobOf({ units }: ExportableRun, params: readonly number[], episodes: number, seed: number): RolloutJob {
  const { env, policy, settings } = units;
  return { env, policy, candidates: [Float64Array.from(params)], episodes, seed, maxSteps: settings.maxSteps };
}

/** Decompresses a copy of the reference's file; false when there is none. */
async function restoreCopy(copy: string, path: string): Promise<boolean> {
  if (!existsSync(copy)) return false;
  try {
    await writeDraft(path, (draft) =>
      pipeline(createReadStream(copy), createGunzip(), createWriteStream(draft, { flags: 'wx' })),
    );
    return true;
  } catch (cause) {
    throw new R2poError('export', `cannot unpack "${copy}": ${faultWords(cause)}; import that log again`, {
      cause,
    });
  }
}

const firstLines = 'parameter ends\n\nstate | action | reward\n';

function* rolloutLines({ units }: ExportableRun, params: readonly number[], trace: Trace): Generator<string> {
  const { env } = units;
  const isTable = env.observation.kind === 'discrete';
  yield isTable ? 'state | action | reward\n' : `${params.map(writeFloat).join(', ')}\n${firstLines}`;
  for (const { obs, action, reward } of trace.steps) {
    const acted = env.action.kind === 'box' ? `[${action.map(writeFloat).join(' ')}]` : String(action[0]);
    // The reference logs only the first entry of a state.
    yield `${isTable ? obs[0] : `[${writeFloat(obs[0]!)}]`} | ${acted} | ${writeFloat(reward)}\n`;
  }
  yield `Total reward: ${writeFloat(trace.return)}\n`;
}

async function writeRollouts(
  path: string,
  run: ExportableRun,
  job: RolloutJob,
  backend: Backend,
  equal: (returns: readonly number[]) => boolean,
): Promise<void> {
  const returns: number[] = [];
  const params = [...job.candidates[0]!];
  async function* lines(): AsyncGenerator<string> {
    for (let index = 0; index < job.episodes; index++) {
      const trace = await backend.trace(job, 0, index);
      returns.push(trace.return);
      yield* rolloutLines(run, params, trace);
    }
  }
  await writeDraft(path, (draft) => pipeline(Readable.from(lines()), createWriteStream(draft, { flags: 'wx' })));
  if (equal(returns)) return;
  throw new DiffersError(
    'export',
    `the episodes of "${run.folder}" played again on ${backend.id} do not return what was recorded (seed ${job.seed}); ` +
      'export it on the machine and with the version that played it',
  );
}

/** Equal except for the rounding of another summation order. */
function sameMean(returns: readonly number[], { mean, min, max }: Summary): boolean {
  const sum = returns.reduce((a, b) => a + b, 0);
  const scale = Math.max(1, Math.abs(min), Math.abs(max));
  return Math.abs(sum / returns.length - mean) <= 1e-9 * scale;
}

/** Writes the files of one iteration. Returns what the reasoning file does not say of its texts; null: nothing. */
async function exportIteration(
  run: ExportableRun,
  { outcome, evaluated, exchanges }: LoggedIteration,
  target: string,
  backend: Backend | null,
): Promise<LoggedTexts | null> {
  const { layout, method, units } = run;
  const folder = join(target, `episode_${outcome.iteration - 1}`);
  const { kept } = outcome;
  const meanOf = (label: CandidateLabel) => outcome.candidates.find((c) => c.label === label)?.mean;
  makeFolder(folder);
  const write = (name: string, text: string): void => replaceFile(join(folder, name), text, 'rebuildable');

  for (const { label, rollouts } of layout.candidates) {
    const played = evaluated.get(label);
    const path = join(folder, rollouts);
    if (await restoreCopy(join(run.folder, rolloutsFolder, rolloutsName(outcome.iteration, label)), path)) continue;
    if (!played || !backend) continue;
    const { summary, params, seed } = played;
    const job = jobOf(run, params, summary.episodes, seed);
    await writeRollouts(path, run, job, backend, (returns) => sameMean(returns, summary));
  }

  const winner =
    kept === 'revision' && method.keptRevision
      ? method.keptRevision
      : Object.entries(layout.winners).find(([, label]) => label === kept)?.[0];
  if (layout.outcome !== null) write(layout.outcome, outcomeText(run, winner, evaluated, meanOf));

  const proposal = evaluated.get('proposal')?.summary;
  const line = (name: string, { index, return: value }: PickedEpisode): string =>
    `${name} rollout (rollout ${index}, reward=${writeFloat(value)}):`;
  const three =
    method.threeEpisodes && proposal
      ? [
          line('Worst', proposal.worst_episode),
          line('Median', proposal.median_episode),
          line('Best', proposal.best_episode),
        ]
      : [];
  const header = [
    ...(winner === undefined ? [] : [`Winner: ${winner}`]),
    ...layout.candidates.flatMap(({ label, title }) => {
      const mean = meanOf(label);
      return mean === undefined ? [] : [`${title} reward: ${four(mean)}`];
    }),
    ...three,
  ];
  const { texts, usable } = loggedTexts(run, outcome, exchanges);
  const reasoning = writeReasoning(layout.id, header, usable);
  if (usable.length > 0) write(reasoningName, reasoning);

  const shown =
    method.printed === 'kept' ? outcome.candidates.find((c) => c.label === kept) : outcome.candidates.at(-1);
  if (shown && shown.params.length > 0) {
    const { policy } = units;
    const isTable = policy.values.kind === 'choice';
    const bias = policy.options.bias !== false;
    write(parametersName, isTable ? writeTable(shown.params) : writeLinear(shown.params, policy.outputCount, bias));
  }
  if (usable.length === 0) return null;
  const derivable = isDeepStrictEqual(readReasoning(layout.id, reasoning), usable);
  const lengths = usable.map(({ prompt, reply }) => ({ prompt: prompt.length, reply: reply.length }));
  if (derivable) return texts.plain.includes(true) ? texts : null;
  return { ...texts, lengths };
}

/** The exchanges of the candidates, with a plain line before each reply that the reference would read differently. */
function loggedTexts(
  { folder, layout, manifest, method, units }: ExportableRun,
  { candidates }: LoggedIteration['outcome'],
  exchanges: LoggedIteration['exchanges'],
): { readonly texts: LoggedTexts; readonly usable: readonly Exchange[] } {
  // A log that the reference wrote is restored as it was.
  const ours = !manifest.imported || existsSync(join(folder, rolloutsFolder, provenanceCopy));
  const mention = units.policy.values.kind === 'choice' ? method.tabular : 'first';
  const read = exchanges.slice(0, layout.candidates.length);
  const playedIn = (i: number): readonly number[] =>
    candidates.find(({ label }) => label === layout.candidates[i]!.label)?.params ?? [];
  const plain = read.map(({ reply }, i) => ours && playedIn(i).length > 0 && !readsBack(reply, playedIn(i), mention));
  const usable = read.map((exchange, i) =>
    plain[i] ? { ...exchange, reply: withPlainLine(exchange.reply, playedIn(i)) } : exchange,
  );
  return { texts: { plain }, usable };
}

function outcomeText(
  { layout, method }: ExportableRun,
  winner: string | undefined,
  evaluated: LoggedIteration['evaluated'],
  meanOf: (label: CandidateLabel) => number | undefined,
): string {
  const pick = (label: CandidateLabel): PickedEpisode | undefined =>
    evaluated.get(label)?.summary[`${method.pick}_episode`];
  const first = pick('proposal');
  const second = pick('revision');
  const keys: [string, string | number | undefined][] = layout.candidates.map(({ label, reward }) => {
    const mean = meanOf(label);
    return [reward, mean === undefined ? undefined : four(mean)];
  });
  if (layout.id === 'critic-only') keys.push(['repr_traj_rollout_idx', first?.index]);
  else keys.push(['winner', winner]);
  if (layout.id === 'two-search') {
    keys.push(['proposal_a_repr_idx', first?.index], ['proposal_b_repr_idx', second?.index]);
  } else if (layout.id === 'two-call') {
    const name = method.pick === 'median' ? 'median_traj' : 'repr_traj';
    keys.push([`${name}_rollout_idx`, first?.index]);
    keys.push([`${name}_individual_reward`, first && four(first.return)]);
    if (method.pick === 'median') keys.push([`revised_${name}_rollout_idx`, second?.index]);
  }
  return keys.map(([key, value]) => (value === undefined ? '' : `${key}=${value}\n`)).join('');
}

/** Target folder of each run: `<out>/<experiment>/run_<n>`, numbered within the experiment. */
export function exportTargets(runs: readonly ExportableRun[], out: string): readonly string[] {
  const counts = new Map<string, number>();
  return runs.map(({ experiment }) => {
    const n = (counts.get(experiment) ?? 0) + 1;
    counts.set(experiment, n);
    return join(out, experiment, `run_${n}`);
  });
}

/** Runs of an earlier export that stay in the experiments of these targets, by their paths. */
export function foreignRuns(targets: readonly string[]): readonly string[] {
  const written = new Set(targets);
  return [...new Set(targets.map((target) => dirname(target)))].flatMap((experiment) => {
    const folders = existsSync(experiment) ? listFolder(experiment).folders : [];
    const runs = folders.filter((name) => /^run_\d+$/.test(name)).map((name) => join(experiment, name));
    return runs.filter((path) => !written.has(path));
  });
}

/** One line for each experiment whose runs differ in more than the seed, because the reference's scripts pool them. */
export function mixedExperiments(runs: readonly ExportableRun[]): string[] {
  const experiments = new Map(runs.map((run) => [run.experiment, run]));
  return [...experiments].flatMap(([experiment, { folder, units }]) => {
    for (const other of runs) {
      if (other.experiment !== experiment) continue;
      const keys = differingKeys(other.units.config, { ...units.config, seed: other.units.config.seed });
      if (keys.length > 0) {
        return `${experiment} holds runs of different settings: "${other.folder}" and "${folder}" differ in ${keys.join(', ')}`;
      }
    }
    return [];
  });
}

/** Refuses a folder with content; `force` removes the files of an earlier log, and nothing else. */
export function clearTarget(target: string, force: boolean): void {
  clearDeadDrafts(target);
  let names: string[];
  try {
    names = readdirSync(target);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return;
    throw cannotUse('--out', 'a folder', target, cause);
  }
  if (names.length === 0) return;
  if (!force)
    throw new UsageError('--out', `expected a new folder, got "${target}", which exists; add --force to replace it`);
  for (const name of names) {
    if ([logName, provenanceName, warmupFolder].includes(name) || episodeFolder.test(name)) {
      rmSync(join(target, name), { recursive: true, force: true });
    }
  }
}
