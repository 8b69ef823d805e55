/** `run.json`: what ran, with what, and how it ended. Written at the start and the end of each session. */
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { packageVersion, programVersion } from '../../base/node/assets.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import { manifestName } from '../../config/recorded.ts';
import { modelKinds } from '../../llm/chat.ts';
import { type BackendId, backendIds } from '../../rollout/backend.ts';
import { runStatuses } from '../journal/totals.ts';
import { gitState } from './git-state.ts';

const schemaVersion = 1;

/** Of a branch: the run whose first events it has, and the last of them. */
export const branchOrigin = z.object({
  /** name of the folder */
  run: z.string(),
  iteration: z.number(),
  /** lines of the record that both runs have, and the digest of the last one */
  record: z.object({ events: z.number(), digest: z.string() }),
});

const schema = z.object({
  schemaVersion: z.literal(schemaVersion),
  status: z.enum(runStatuses),
  /** of the latest session */
  argv: z.array(z.string()),
  /** ISO 8601 */
  created: z.string(),
  config_hash: z.string(),
  env: z.string(),
  method: z.string(),
  seed: z.number(),
  git: z.object({ revision: z.string(), dirty: z.boolean() }).nullable(),
  /** digest of the source of an environment module; left out for environments of this package */
  env_source: z.string().optional(),
  /** digest of the source of a method module; left out for methods of this package */
  method_source: z.string().optional(),
  versions: z.object({ r2po: z.string(), node: z.string(), dawn: z.string().nullable() }),
  /** the device really used; null before the first session has one */
  backend: z.string().nullable(),
  adapter: z.string().nullable(),
  /** why `--backend auto` chose the backend; left out: it was asked for */
  backend_why: z.string().optional(),
  model: z.string(),
  model_kind: z.enum(modelKinds).nullable(),
  /** what answers the calls of each purpose; left out before the first session and by earlier versions */
  models: z.object({ search: z.string(), critic: z.string() }).optional(),
  /** why the latest session ended before the run did; null while it runs and when it is finished */
  stopped: z.object({ reason: z.string(), exit_code: z.number() }).nullable(),
  /** that the search has, where that was changed while it went on; left out: as configured */
  iterations: z.number().optional(),
  branch: branchOrigin.optional(),
  /** source of an imported run, which can be read, not resumed or replayed */
  imported: z
    .object({
      format: z.string(),
      layout: z.string(),
      source: z.string(),
      digest: z.string(),
      /** of a training, which has only rewards: what they are, and whether the policy was evaluated */
      training: z
        .object({
          rewards: z.string(),
          evaluated: z.boolean(),
          /** command that resumes it, no other: users copy it; left out for a training that another program made */
          resume: z.literal('r2po baseline').optional(),
          /** the same for later imports of a training that went on */
          identity: z.string().optional(),
          /** its own evaluations beside its training episodes */
          evaluations: z.record(z.string(), z.number()).optional(),
          /** what the environment as it is here cannot have played */
          flags: z.array(z.string()).optional(),
        })
        .optional(),
    })
    .optional(),
});

/** `run.json`; docs/run-folders.md describes each field. */
export type Manifest = z.output<typeof schema>;
export type BranchOrigin = z.output<typeof branchOrigin>;

type EnvironmentFacts = Pick<Manifest, 'git' | 'versions'>;

let facts: EnvironmentFacts | null = null;

/** The program and the working directory; read once per process. */
export function environmentFacts(): EnvironmentFacts {
  if (facts === null) {
    const versions = { r2po: programVersion(), node: process.version, dawn: packageVersion('webgpu') };
    facts = { git: gitState(), versions };
  }
  return facts;
}

export function newManifest(facts: Omit<Manifest, 'schemaVersion' | 'git' | 'versions'>): Manifest {
  return { schemaVersion, ...facts, ...environmentFacts() };
}

/** The manifest of a run folder; null when the folder has none. Throws a usage error for one that cannot be read. */
export function readManifest(folder: string): Manifest | null {
  const path = join(folder, manifestName);
  let text: string;
  try {
    text = readRegularText(path);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new UsageError('run folder', `cannot read "${path}": ${faultWords(cause)}`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError('run folder', `expected JSON in "${path}": ${(cause as Error).message}`, cause);
  }
  const version = z.object({ schemaVersion: z.number() }).safeParse(value).data?.schemaVersion;
  if (version !== undefined && version !== schemaVersion) {
    throw new UsageError(
      'run folder',
      `expected schemaVersion ${schemaVersion} in "${path}", got ${version}; use the version of r2po that wrote it`,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    'run folder',
    `"${path}" is not the manifest of a run: "${issue!.path.join('.')}" ${issue!.message}`,
  );
}

/**
 * Two folders with the same identity are the same run: the configuration with its seed and the modules of the user or, for an
 * imported run, the log, whose configuration is incomplete. A training keeps its identity while its log grows.
 */
export function runIdentity({ config_hash, imported, env_source = '', method_source = '' }: Manifest): string {
  return imported?.training?.identity ?? imported?.digest ?? `${config_hash}${env_source}${method_source}`;
}

/** The backend of a run that was started, also if the configuration says `auto`; null before the start. */
export function usedBackend(manifest: Manifest | null): BackendId | null {
  return backendIds.find((id) => id === manifest?.backend) ?? null;
}

/** The models of a run that was started; null before the start. */
export function usedModels(manifest: Manifest | null): { readonly search: string; readonly critic: string } | null {
  if (manifest?.backend == null) return null;
  return manifest.models ?? { search: manifest.model, critic: manifest.model };
}
