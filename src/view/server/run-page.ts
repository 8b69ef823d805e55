/** The page of one run. */
import { quotedCommand } from '../../base/command-line.ts';
import { isModulePath } from '../../base/module-path.ts';
import { isSection } from '../../config/layers.ts';
import { configName } from '../../config/recorded.ts';
import { optimiserOf } from '../../methods/optimiser-method.ts';
import { readRunFile } from '../../runs/folder/files.ts';
import type { Manifest } from '../../runs/folder/manifest.ts';
import { readRun } from '../../runs/folder/read-run.ts';
import type { RunRow } from '../api/index-of-runs.ts';
import { projectionOf, triedPolicies } from '../api/projection.ts';
import type { Iteration, RunPage, RunUpdate } from '../api/run.ts';
import type { RunReading } from './run-reading.ts';

/** What the engine needs; null: a run without policies, or a configuration that does not say. */
function playableOf({ written, units, played, stored }: RunReading): RunPage['playable'] {
  if (stored.manifest.imported?.training || !isSection(written)) return null;
  const { env, env_options: envOptions, policy, evaluation } = written;
  if (typeof env !== 'string' || !isSection(policy) || typeof policy.kind !== 'string') return null;
  const { kind, options = {} } = policy;
  const limit = isSection(evaluation) ? evaluation.max_steps : null;
  return {
    env: played?.env.id ?? env,
    envOptions: isSection(envOptions) ? envOptions : {},
    policy: { kind, options },
    maxSteps: units?.settings.maxSteps ?? (typeof limit === 'number' ? limit : null),
    known: !isModulePath(env),
  };
}

function namesOf({ played }: RunReading): RunPage['names'] {
  if (played === null) return null;
  const { env, policy } = played;
  const { action, grid, observation } = env;
  const cells = grid?.join('').length;
  const isTable = observation.kind === 'discrete' && cells === observation.n && policy.paramCount === cells;
  return {
    paramCount: policy.paramCount,
    params: [...policy.paramNames],
    matrix: policy.matrix ? { rows: [...policy.matrix.rows], columns: [...policy.matrix.columns] } : null,
    grid: grid && isTable ? [...grid] : null,
    actions: action.kind === 'discrete' ? [...action.meanings] : null,
  };
}

function resumeOf(folder: string, { imported, status }: Manifest): string | null {
  if (status === 'finished') return null;
  if (imported) return imported.training?.resume ? quotedCommand(['baseline', folder, '--resume']) : null;
  return quotedCommand(['run', folder, '--resume']);
}

function noticesOf(reading: RunReading, row: RunRow): string[] {
  const { problem, torn, withoutUnits, optimiser, iterations } = reading;
  return [
    ...(problem === null
      ? []
      : [`the record is read up to iteration ${iterations.at(-1)?.iteration ?? 0}: ${problem}`]),
    // A running process may be writing that line.
    ...(torn !== null && !['running', 'paused'].includes(row.status) ? [torn] : []),
    ...(withoutUnits === null ? [] : [withoutUnits]),
    ...(optimiser !== null && !optimiser.agrees
      ? ['the states of the optimiser are left out: this version does not draw the populations that the record has']
      : []),
  ];
}

function configText(reading: RunReading): string {
  try {
    return readRunFile(reading.stored.path(configName));
  } catch {
    return '';
  }
}

/** Whether `branch` takes the run as it is: one whose code needs a permission is branched by the command. */
const canBranch = ({ units, stored: { manifest } }: RunReading): boolean =>
  units !== null && !manifest.imported && optimiserOf(units.method)?.isSolution !== true;

/** Logs do not state the seeds of episodes, so that none of them can be played again. */
const withoutEpisodes = (iterations: readonly Iteration[]): Iteration[] =>
  iterations.map((one) => ({
    ...one,
    candidates: one.candidates.map((candidate) => ({ ...candidate, episode: null })),
  }));

type Course = Pick<RunPage, 'iterations' | 'spans'>;

/** What a record says of the course of a run; the events of a log that was imported do not say what each waited for. */
const statedOf = ({ stored }: RunReading, { iterations, spans }: Course): Course =>
  stored.manifest.imported ? { iterations: withoutEpisodes(iterations), spans: [] } : { iterations, spans };

/** What is new behind an iteration. */
export function runUpdateOf(reading: RunReading, row: RunRow, after: number): RunUpdate {
  const update = reading.updateAfter(after);
  return { row, ...update, ...statedOf(reading, update) };
}

export function runPageOf(reading: RunReading, row: RunRow): RunPage {
  const { stored, iterations, calls, every, warmup } = reading;
  // Written at the start and the end of each session.
  const { manifest } = readRun(stored.folder);
  const { argv } = manifest;
  return {
    row,
    config: configText(reading),
    command: argv.length === 0 ? null : quotedCommand(argv),
    resume: resumeOf(stored.folder, manifest),
    canBranch: canBranch(reading),
    playable: playableOf(reading),
    names: namesOf(reading),
    warmup,
    ...statedOf(reading, reading),
    calls,
    every,
    optimiser: reading.optimiser?.stateAfter() ?? null,
    projection: projectionOf(triedPolicies(iterations)),
    notices: noticesOf(reading, row),
  };
}
