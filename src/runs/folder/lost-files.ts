/**
 * A run folder that has lost `run.json` or `config.yaml`. Both are made again from the record and the configuration that the
 * run began with, whose hash the record has.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { quotedCommand } from '../../base/command-line.ts';
import { UsageError } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import type { Config } from '../../config/schema.ts';
import { findEnv } from '../../envs/registry.ts';
import { methodId } from '../../methods/index.ts';
import type { RunEvent } from '../journal/events.ts';
import { eventsName, readEvents } from '../journal/journal.ts';
import { readStart } from '../journal/record-start.ts';
import { totalsOf } from '../journal/totals.ts';
import { withListPrices } from '../models/cost.ts';
import { SearchLength } from '../session/search-length.ts';
import { runHash } from './identity.ts';
import { type BranchOrigin, newManifest } from './manifest.ts';

/** Names of the files that a folder with a record has lost; none for any other folder. */
export function lostFiles(folder: string): string[] {
  if (!existsSync(join(folder, eventsName))) return [];
  return [manifestName, configName].filter((name) => !existsSync(join(folder, name)));
}

/** The usage error of a run that has lost these files. */
export function lostError(folder: string, lost: readonly string[]): UsageError {
  const path = resolve(folder);
  const place = ['--runs-dir', dirname(path), '--name', basename(path)];
  const named = lost.includes(configName) ? ['CONFIG', ...place] : [folder];
  const command = quotedCommand(['run', ...named, '--resume', '--repair']);
  const which = lost.includes(configName) ? ', with the CONFIG and the overrides that it began with,' : '';
  return new UsageError(
    '--resume',
    `expected a whole run folder, got "${folder}", a run that has lost its ${lost.join(' and its ')}; restore it from a ` +
      `copy, or use "${command}"${which} which writes it again`,
  );
}

/** The last event of another run that a branch begins with; null: it is no branch. */
function originOf(folder: string, events: readonly RunEvent[]): BranchOrigin | null {
  const branched = events.findLast((event) => event.type === 'branched');
  if (!branched) return null;
  const { run, iteration, seq } = branched;
  const end = readStart(folder, (event) => event.seq === seq - 1)?.end;
  return { run, iteration, record: { events: seq, digest: end?.digest ?? '' } };
}

/**
 * Writes the files that a run has lost. `choices`: the configuration, and as earlier versions read it. What ran it before
 * is not in the record: the manifest names the program that makes it. Throws a usage error for another configuration.
 */
export async function restoreLost(
  folder: string,
  lost: readonly string[],
  choices: readonly Config[],
  argv: readonly string[],
): Promise<void> {
  const { events } = readEvents(folder);
  const branch = originOf(folder, events) ?? undefined;
  const started = events.findLast((event) => event.type === 'run_started' && event.seq > (branch?.record.events ?? -1));
  const expected = started?.type === 'run_started' ? started.config_hash : null;
  const config = choices.find((choice) => runHash(choice, branch) === expected);
  if (!config || events.some(({ type }) => type === 'imported')) {
    const got = choices.map((choice) => runHash(choice, branch))[0];
    throw new UsageError(
      '--repair',
      `expected the configuration ${expected ?? '(none is recorded)'} that "${folder}" was made with, as ${eventsName} has it, ` +
        `got ${got}; name that configuration with its overrides`,
    );
  }
  const totals = totalsOf(events);
  if (lost.includes(configName)) {
    replaceFile(join(folder, configName), stringify(await withListPrices(config)), 'durable');
  }
  if (!lost.includes(manifestName)) return;
  const last = events.findLast(
    ({ type }) => type === 'run_started' || type === 'run_stopped' || type === 'run_finished',
  );
  // The events before it are those of the run that was branched.
  const branched = branch && events.find(({ seq }) => seq === branch.record.events);
  const iterations = new SearchLength(events).changed;
  const { status, backend, adapter, models, modelKind } = totals;
  const manifest = newManifest({
    ...(branch && { branch }),
    ...(iterations !== null && { iterations }),
    ...{ status, backend, adapter, argv: [...argv] },
    created: branched?.time ?? new Date(totals.startTime ?? 0).toISOString(),
    config_hash: expected!,
    env: findEnv(config.env).id,
    method: methodId(config.method),
    seed: config.seed,
    model: models!.search,
    model_kind: modelKind,
    models: models!,
    stopped: last?.type === 'run_stopped' ? { reason: last.reason, exit_code: last.exit_code } : null,
  });
  replaceFile(join(folder, manifestName), jsonText(manifest), 'durable');
}
