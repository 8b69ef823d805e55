/**
 * `r2po.json` beside an exported log: facts that the reference's layout cannot store. Without it, a run of the offline
 * optimiser would be imported as one of a language model. The reference's scripts ignore the file. It is trusted only
 * if it agrees with the log beside it, because it may have been edited or belong to another run.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { parseConfig } from '../../config/resolve.ts';
import { asksModels, type Config } from '../../config/schema.ts';
import { findEnv } from '../../envs/registry.ts';
import { modelKinds } from '../../llm/chat.ts';
import { offline } from '../../llm/offline/index.ts';
import { branchOrigin } from '../../runs/folder/manifest.ts';
import type { RunEvent } from '../../runs/journal/events.ts';
import { type RunTotals, runStatuses } from '../../runs/journal/totals.ts';
import type { ImportLog } from '../common/import-log.ts';
import { type FileProblem, quoted, readText } from './files.ts';
import { logName } from './layout.ts';
import type { ImportedRunSubject, LogCounts } from './subject.ts';

export const provenanceName = 'r2po.json';
/** The copy in the folder of an imported run. */
export const provenanceCopy = `${provenanceName}.gz`;

const length = z.int().min(0);
const texts = z.strictObject({
  /** of each exchange: its reply starts with the plain line of parameters, which the export added */
  plain: z.array(z.boolean()),
  /** characters of the texts, where they contain the marks that separate them */
  lengths: z.array(z.strictObject({ prompt: length, reply: length })).optional(),
});
/** What a reasoning file does not say of its texts. */
export type LoggedTexts = z.output<typeof texts>;

const schema = z.object({
  schemaVersion: z.literal(1),
  /** SHA-256 of the overall log, hexadecimal: ties the file to its run */
  log_sha256: z.string(),
  status: z.enum(runStatuses),
  model: z.string().min(1).max(1000),
  model_kind: z.enum(modelKinds),
  /** model that wrote the replies, which differs from `model` in a replay; null: no replies */
  reply_model: z.string().max(1000).nullable(),
  config: z.record(z.string(), z.unknown()),
  /** that the search has, where that was changed while it went on; older files do not have it */
  iterations: z.int().min(1).optional(),
  /** of a branch, whose first iterations are those of another run; older files do not have it */
  branch: branchOrigin.optional(),
  /** by iteration, of those that need it; older files do not have it */
  texts: z.record(z.string(), texts).optional(),
});

/** A run's own statement of what the log leaves open. */
export interface Provenance extends Omit<z.output<typeof schema>, 'config'> {
  readonly config: Config;
}

/** What a run has beside its configuration and events. */
export interface LogFacts extends Pick<Provenance, 'branch' | 'iterations'> {
  /** text of the overall log */
  readonly log: string;
  readonly texts: NonNullable<Provenance['texts']>;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The file's text for a run with this overall log and these texts. Null when the run has not started. */
export function provenanceText(
  config: Config,
  events: readonly RunEvent[],
  totals: RunTotals,
  { branch, iterations, log, texts }: LogFacts,
): string | null {
  const { status, model, modelKind } = totals;
  if (model === null || modelKind === null) return null;
  const repliers = new Set(events.flatMap((event) => (event.type === 'llm_call' ? [event.reply.model] : [])));
  // `auto` may resume with another model; runs that used the offline optimiser are not labelled as language-model runs.
  const reply_model = repliers.has(offline.id) ? offline.id : ([...repliers][0] ?? null);
  const provenance: Provenance = {
    schemaVersion: 1,
    log_sha256: sha256(log),
    status,
    model,
    model_kind: modelKind,
    reply_model,
    config,
    ...(iterations !== undefined && { iterations }),
    ...(branch && { branch }),
    ...(Object.keys(texts).length > 0 && { texts }),
  };
  return jsonText(provenance);
}

/** The provenance of the log in `folder`; null when there is none or, logged as skipped, none that can be trusted. */
export async function readProvenance(
  folder: string,
  subject: ImportedRunSubject,
  counts: LogCounts,
  importLog: ImportLog,
): Promise<Provenance | null> {
  const path = join(folder, provenanceName);
  if (!existsSync(path)) return null;
  importLog.begin(provenanceName);
  const read = await readText(path, importLog.digest);
  const provenance = 'text' in read ? parse(read.text, path) : read;
  const log = await readText(join(folder, logName), createHash('sha256'));
  const problem =
    'expected' in provenance ? provenance : contradiction(provenance, subject, counts, 'text' in log ? log.text : '');
  importLog.done(path, problem);
  return problem === null && 'config' in provenance ? provenance : null;
}

function parse(text: string, name: string): Provenance | FileProblem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { expected: 'JSON', found: (error as Error).message };
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return { expected: 'where the run came from', found: `"${path.join('.')}": ${message}` };
  }
  try {
    // Never loads code: environments named by path are unknown here.
    return { ...parsed.data, config: parseConfig({ name, text: JSON.stringify(parsed.data.config) }) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { expected: 'the configuration of a run', found: error.detail };
  }
}

function contradiction(
  provenance: Provenance,
  { env, method }: ImportedRunSubject,
  counts: LogCounts,
  log: string,
): FileProblem | null {
  const { config, model, model_kind, reply_model } = provenance;
  const byOffline = model_kind === offline.kind;
  const checks: [string, string | number | boolean, string | number | boolean][] = [
    ['the digest of this overall log', sha256(log), provenance.log_sha256],
    ['the environment', env.id, findEnv(config.env, config.env_options).id],
    ['the method', method.id, config.method],
    ['a model of the stated kind', byOffline, model === offline.id],
    ...(model_kind !== 'replay' && reply_model !== null
      ? ([['replies of the stated kind', byOffline, reply_model === offline.id]] as [string, boolean, boolean][])
      : []),
  ];
  const mismatch = checks.find(([, here, stated]) => here !== stated);
  if (mismatch) return { expected: `${mismatch[0]}: ${mismatch[1]}`, found: quoted(String(mismatch[2])) };
  if (asksModels(config)) {
    const { iterations = config.iterations } = provenance;
    if (counts.iterations > iterations) {
      return { expected: `at least ${counts.iterations} iterations`, found: String(iterations) };
    }
  }
  return null;
}
