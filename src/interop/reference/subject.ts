/** Determines the environment, method and settings of a reference folder from its name and file names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { listFolder } from '../../base/node/walk.ts';
import { resolveConfig } from '../../config/resolve.ts';
import type { Env } from '../../envs/env.ts';
import { findEnv } from '../../envs/registry.ts';
import { policyKinds } from '../../policies/index.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { FoundReferenceRun } from './find.ts';
import {
  episodeFolder,
  type Layout,
  type LoggedMethod,
  layoutOf,
  layouts,
  loggedMethods,
  readExperimentName,
  runFolder,
} from './layout.ts';
import type { PrintedPolicy } from './printed-policy.ts';
import { shippedVariant } from './variant.ts';

export interface ImportedRunSubject {
  readonly env: Env;
  readonly method: LoggedMethod;
  readonly layout: Layout;
}

/** What the user states about a log; null: read from the folder's name. */
export interface RequestedSubject {
  /** an id */
  readonly env: string | null;
  readonly method: string | null;
}

/** Null when the environment or the method cannot be determined, which is logged. */
export function detectSubject(
  run: FoundReferenceRun,
  options: RequestedSubject,
  importLog: ImportLog,
): ImportedRunSubject | null {
  const names = run.source.split('/');
  const named = names.map(readExperimentName);
  const env = options.env === null ? (named.find((name) => name.env)?.env ?? null) : findEnv(options.env);
  if (!env) {
    importLog.skip(run.folder, {
      expected: 'a folder <environment>_<method>/run_<n>, such as cartpole_props/run_1, or --env',
      found: run.source,
    });
    return null;
  }
  const found = layouts.find((layout) => hasFilesOf(run.folder, layout)) ?? null;
  const wanted = options.method ?? named.find((name) => name.method)?.method?.id;
  let method = loggedMethods.find(({ id }) => id === wanted) ?? null;
  if (method && found && method.layout !== found.id) {
    importLog.notes.push(`the folder is named after ${method.id} but has the files of the ${found.id} layout`);
    if (options.method === null) method = null;
  }
  if (!method) {
    if (found) method = loggedMethods.find((m) => m.layout === found.id) ?? null;
    if (!method) {
      importLog.skip(run.folder, { expected: 'the files of a method, or --method', found: 'none' });
      return null;
    }
    importLog.notes.push(`method ${method.id} inferred from the files alone; set it with --method`);
  }
  return { env, method, layout: found ?? layoutOf(method.layout) };
}

/** Checks the first iterations only, because a run has one layout. */
function hasFilesOf(folder: string, layout: Layout): boolean {
  const wanted = [...(layout.outcome ? [layout.outcome] : []), ...layout.candidates.map((c) => c.rollouts)];
  // Files that two layouts share do not distinguish them.
  const own = layout.id === 'critic-only' ? [layout.outcome as string] : wanted;
  try {
    const episodes = listFolder(folder).folders.filter((name) => episodeFolder.test(name));
    return episodes.slice(0, 5).some((name) => own.some((file) => existsSync(join(folder, name, file))));
  } catch {
    return false;
  }
}

/** The counts of a log. */
export interface LogCounts {
  readonly iterations: number;
  readonly warmups: number;
  /** per evaluation */
  readonly episodes: number;
}

type Resolved = Awaited<ReturnType<typeof resolveConfig>>;

/** The published settings of the method, with the counts of the log and, where it prints them, the policy's settings. */
export async function configFor(
  subject: ImportedRunSubject,
  run: FoundReferenceRun,
  model: string,
  counts: LogCounts,
  printed: PrintedPolicy | null,
): Promise<Resolved> {
  const { env, method } = subject;
  const base = `${env.folder}/${method.id}`;
  const rest = run.source.split('/').map((name) => readExperimentName(name).rest);
  const names = printed === null ? rest : [printed.kind.replaceAll('-', '_').replace('_mlp', ''), ...rest];
  const variant = names.map((text) => shippedVariant(base, text)).find((name) => name !== null) ?? base;
  const overrides = [
    `iterations=${Math.max(1, counts.iterations)}`,
    `warmup.policies=${counts.warmups}`,
    `evaluation.episodes=${counts.episodes}`,
  ];
  const flags = { seed: runNumber(run) ?? 0, model };
  const resolved = async (more: readonly string[]): Promise<Resolved> => {
    try {
      return await resolveConfig(variant, [...overrides, ...more, 'settings=published'], flags);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return await resolveConfig(base, [...overrides, ...more], flags);
    }
  };
  const { config } = await resolved([]);
  const kind = printed?.kind ?? config.policy.kind;
  const drawnFrom = policyKinds.find(({ id }) => id === kind)?.runSeedBase;
  if (drawnFrom === undefined) return resolved([]);
  const known = kind === config.policy.kind ? config.policy.options : {};
  const options = { ...known, seed: drawnFrom + (runNumber(run) ?? 1), ...printed?.options };
  return resolved([`policy=${JSON.stringify({ kind, options })}`]);
}

/** 3 for `run_3`; null for another name. */
function runNumber({ source }: FoundReferenceRun): number | null {
  const found = runFolder.exec(source.split('/').at(-1) ?? '');
  return found && Number(found[1]);
}
