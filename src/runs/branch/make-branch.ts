/** Branches of a run: what they share with it, and the configurations that they go on with. */
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { earlierDefaults } from '../../config/earlier.ts';
import { leaves } from '../../config/leaves.ts';
import { parseOverrides } from '../../config/overrides.ts';
import { configName } from '../../config/recorded.ts';
import {
  type ConfigFile,
  type ConfigFlags,
  openConfig,
  type ResolvedConfig,
  statedKeys,
} from '../../config/resolve.ts';
import { asksModels, type Config, keysOf, schemaFor } from '../../config/schema.ts';
import { optimiserOf } from '../../methods/optimiser-method.ts';
import { hasStoppedAtBudget } from '../control/limits.ts';
import { checkName, type RunStart, refuseImported } from '../folder/folder.ts';
import { runHash } from '../folder/identity.ts';
import { type BranchOrigin, usedBackend, usedModels } from '../folder/manifest.ts';
import { requireWholeJournal } from '../folder/missing.ts';
import { changedSource } from '../folder/module-source.ts';
import { readRun, type StoredRun } from '../folder/read-run.ts';
import type { RunEvent } from '../journal/events.ts';
import { type RecordStart, readStart } from '../journal/record-start.ts';
import { totalsOf } from '../journal/totals.ts';
import { usedName } from '../models/models.ts';
import { refuseRecordedEndpoints } from '../models/recorded-endpoints.ts';
import { type RunUnits, resolveUnits } from '../resolve-units.ts';
import { reachedLimits, useOf } from '../session/budget.ts';
import { isFixed } from './fixed-keys.ts';

/** What a command asks for. */
export interface BranchRequest {
  readonly folder: string;
  /** the last iteration that is shared */
  readonly iteration: number;
  /** how many branches; each has a seed of its own */
  readonly repeat: number;
  /** of the folders; null: made from the name of the run */
  readonly name: string | null;
  /** `key=value`, as they were typed */
  readonly overrides: readonly string[];
  readonly flags: ConfigFlags;
  /** ms since 1970 */
  readonly now: number;
}

export interface Branch {
  /** hash by which its folder is found again */
  readonly id: string;
  readonly config: Config;
  readonly yaml: string;
  readonly start: RunStart;
}

/** The run that is branched. */
export interface Parent {
  readonly folder: string;
  readonly units: RunUnits;
  readonly events: readonly RunEvent[];
}

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What the names of the branches of a run begin with, from the name of its folder; `method`: its id. */
export const branchStem = (run: string, method: string): string => (plainName.test(run) ? run : method);

/** Throws a usage error for an iteration that the run does not have. */
function startOf(run: StoredRun, events: readonly RunEvent[], iteration: number): RecordStart {
  const done = events.reduce((last, event) => (event.type === 'iteration' ? event.iteration : last), 0);
  const range = done === 0 ? 'no iteration is recorded yet' : `it has the iterations 1 ... ${done}`;
  const refuse = (why: string): never => {
    throw new UsageError('--at', `expected an iteration of "${run.folder}", got ${iteration}; ${range}${why}`);
  };
  if (iteration < 1) refuse('; a branch at the beginning is a new run: "r2po run"');
  if (iteration > done) refuse('');
  const isLast = (event: RunEvent) => event.type === 'iteration' && event.iteration === iteration;
  return readStart(run.folder, isLast) ?? refuse('');
}

/** The configuration that the last of these events was made with, which the run may share with another one. */
function configAt(events: readonly RunEvent[], shared: number, config: Config): object {
  const next = events.find((event) => event.type === 'branched' && event.seq >= shared);
  return next?.type === 'branched' ? next.config : config;
}

/** What the branches of a run have in common. */
interface BranchFacts {
  readonly parent: Parent;
  readonly file: ConfigFile;
  readonly overrides: readonly string[];
  readonly flags: ConfigFlags;
  /** leaves of the configuration that may not change, as JSON by dotted name */
  readonly before: ReadonlyMap<string, string>;
}

function fixedError(place: string, key: string, before: string | undefined, after: string): UsageError {
  return new UsageError(
    'branch',
    `${place}: expected ${key} ${before ?? 'not set'}, as in the run, got ${after}: a branch goes on with the trials of ` +
      'its run, which must be comparable; start a new run for it',
  );
}

/** Refuses settings that a branch shares with its run, as they were typed. */
function refuseTyped(overrides: readonly string[], before: BranchFacts['before'], config: Config): void {
  for (const { path, value, label } of parseOverrides(overrides, keysOf(schemaFor(config)))) {
    for (const [key, json] of leaves(value, path.join('.'))) {
      if (isFixed(key) && before.get(key) !== json) throw fixedError(label, key, before.get(key), json);
    }
  }
}

function refuseChanged(config: Config, { before }: BranchFacts): void {
  const after = new Map(leaves(config));
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (!isFixed(key) || before.get(key) === after.get(key)) continue;
    throw fixedError('config', key, before.get(key), after.get(key) ?? 'not set');
  }
}

async function resolveBranch(facts: BranchFacts, seed: number | undefined): Promise<ResolvedConfig> {
  const { file, overrides, flags } = facts;
  const resolved = await file.resolve(overrides, { ...flags, ...(seed !== undefined && { seed }) });
  refuseRecordedEndpoints(resolved);
  refuseChanged(resolved.config, facts);
  return resolved;
}

/**
 * Limits that have stopped the run are lifted, unless the command states them: what is branched is the run, not the budget of
 * an earlier command.
 */
function liftedLimits({ events, units: { config } }: Parent, { overrides, flags }: BranchRequest): string[] {
  if (!hasStoppedAtBudget(events)) return [];
  const stated = statedKeys(overrides, flags);
  return reachedLimits(config.budget, useOf(config, totalsOf(events)))
    .map((key) => `budget.${key}`)
    .filter((key) => !stated.has(key))
    .map((key) => `${key}=null`);
}

/** Refuses a run of which no search goes on. */
function refuseSolution({ folder, units: { method } }: Parent): void {
  if (optimiserOf(method)?.isSolution !== true) return;
  throw new UsageError(
    'branch',
    `expected the run of a search, got "${folder}" of "${method.id}", which computes its only policy: nothing goes on from ` +
      'it; start a new run',
  );
}

/** Refuses a branch without an iteration of its own. `overrides`: those of the user */
function refuseEnded(
  units: RunUnits,
  parent: Parent,
  { events }: RecordStart,
  iteration: number,
  overrides: readonly string[],
): void {
  const { episodes } = totalsOf(events);
  const goesOn = (of: RunUnits): boolean => of.driver.goesOn(of, { iteration, episodes });
  if (goesOn(units)) return;
  if (goesOn(parent.units)) {
    throw new UsageError(
      'branch',
      `expected settings with which a branch goes on from iteration ${iteration}, got ${overrides.join(', ')}, with which ` +
        'it has ended there; choose an earlier iteration, or a longer branch',
    );
  }
  const longer = asksModels(units.config) ? 'iterations' : 'optimiser.episodes';
  throw new UsageError(
    '--at',
    `expected an iteration before the last one, got ${iteration}, the last one: nothing is left to go on with; choose an ` +
      `earlier one, or make the branch longer (${longer}=...)`,
  );
}

/** The same model as before, where the configuration leaves the choice to the moment. */
function sameModel(configured: unknown, run: StoredRun, { overrides, flags }: BranchRequest): ConfigFlags {
  if (configured !== 'auto' || flags.model !== undefined || overrides.some((text) => text.startsWith('model=')))
    return {};
  return { model: usedName(configured, usedModels(run.manifest)?.search) };
}

/**
 * The branches that a command asks for. Nothing is written. Throws a usage error for a run that cannot be branched (imported,
 * damaged, of changed or untrusted code), an iteration that it does not have, and settings that a branch may not change.
 */
export async function planBranches(request: BranchRequest): Promise<{ parent: Parent; branches: readonly Branch[] }> {
  const { folder, iteration, repeat, name, now } = request;
  if (name !== null) checkName(name);
  const run = readRun(folder);
  refuseImported(folder, run.manifest, 'branch');
  const { events } = requireWholeJournal(folder);
  const start = startOf(run, events, iteration);
  const recorded = await openConfig(join(folder, configName), earlierDefaults);
  const { config } = await recorded.resolve();
  const parent: Parent = { folder, units: resolveUnits(config), events };
  refuseSolution(parent);
  const changed = changedSource(run.manifest, parent.units.env, parent.units.method);
  if (changed !== null) throw new UsageError('branch', `expected the code of the run, but ${changed}`);
  const backend = usedBackend(run.manifest) ?? undefined;
  const before = new Map(leaves(config));
  if (backend !== undefined) before.set('evaluation.backend', JSON.stringify(backend));
  refuseTyped(request.overrides, before, config);
  const facts: BranchFacts = {
    parent,
    file: recorded,
    // Behind those of the user, whose numbers stand in messages.
    overrides: [...request.overrides, ...liftedLimits(parent, request)],
    flags: { ...request.flags, ...sameModel((config as { model?: unknown }).model, run, request), backend },
    before,
  };
  const own = basename(resolve(folder));
  const origin: BranchOrigin = {
    run: own,
    iteration,
    record: { events: start.end.events, digest: start.end.digest ?? '' },
  };
  const body = {
    type: 'branched',
    run: own,
    config_hash: run.manifest.config_hash,
    iteration,
    config: { ...configAt(events, start.end.events, config) },
  } as const;
  const write = start.goOn(body, new Date(now).toISOString());
  const first = await resolveBranch(facts, request.flags.seed);
  refuseEnded(resolveUnits(first.config), parent, start, iteration, request.overrides);
  const branches: Branch[] = [];
  for (let k = 0; k < repeat; k++) {
    const resolved = k === 0 ? first : await resolveBranch(facts, first.config.seed + k);
    const id = runHash(resolved.config, origin);
    const made = branchStem(own, parent.units.method.id);
    const given = name === null || repeat === 1 ? name : `${name}-${k + 1}`;
    const folderName = given ?? `${made}-at${iteration}-s${resolved.config.seed}-${id.slice(0, 8)}`;
    branches.push({
      id,
      config: resolved.config,
      get yaml() {
        return resolved.yaml;
      },
      start: { origin, name: folderName, write },
    });
  }
  return { parent, branches };
}
