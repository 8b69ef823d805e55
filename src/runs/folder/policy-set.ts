/** Loads many policies of one environment, from a folder or from a file with one policy per line. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { locationOf } from '../../base/input-text.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { isModulePath } from '../../base/module-path.ts';
import { walkFolders } from '../../base/node/walk.ts';
import { kindOfPath, readInput, readLines } from '../../config/input.ts';
import { manifestName } from '../../config/recorded.ts';
import type { Env } from '../../envs/env.ts';
import { withEnvOptions } from '../../envs/registry.ts';
import { buildPolicy } from '../../policies/index.ts';
import type { Policy, PolicyOptions } from '../../policies/policy.ts';
import { type LoadedPolicy, type NamedEnv, NotPolicyError, parsePolicy } from '../../policies/policy-file.ts';
import { type LeftOut, maxDepth, notSearched } from './find-runs.ts';
import type { Manifest } from './manifest.ts';
import { changedSource } from './module-source.ts';
import {
  envOfBest,
  envOfFile,
  type GivenEnv,
  isEqual,
  isSameEnv,
  type OpenedPolicy,
  openGiven,
  openNamedEnv,
} from './policy-env.ts';
import { readRun } from './read-run.ts';

const unit = '--policies';

export interface NamedParams {
  readonly name: string;
  /** `[paramCount]` */
  readonly params: Float64Array;
}

/** A run or a file that is whole, and not one of the policies that were asked for. */
class OtherError extends UsageError {}

/** Policies that differ in their parameters only, so that one program plays them. */
export interface PolicyGroup {
  readonly policy: Policy;
  readonly members: readonly NamedParams[];
}

export interface PolicySet {
  readonly env: Env;
  readonly groups: readonly PolicyGroup[];
  /** paths that are not used, and the reasons */
  readonly leftOut: readonly LeftOut[];
  /** runs whose environment had other code than this one has */
  readonly changed: readonly { readonly path: string; readonly reason: string }[];
  /** policies with the parameters of another one, which is kept */
  readonly duplicates: readonly { readonly name: string; readonly of: string }[];
}

/**
 * The policies at `source`: a folder with policy files (`*.json`) and run folders (their best policies), also in folders
 * within it, or a file of policy documents, one per line (`-` for stdin), and the environment that they or the command name.
 * In a folder, anything but policies of this environment is left out with the reason. Invalid lines, a source without a
 * policy, and policies of several environments without one that is given are usage errors.
 */
export async function loadPolicySet(source: string, given: GivenEnv): Promise<PolicySet> {
  const isFolder = source !== '-' && kindOfPath(source) === 'folder';
  const leftOut: LeftOut[] = [];
  const wanted = await openGiven(given);
  const found = isFolder ? await readFolder(source, wanted, leftOut) : await readPolicyLines(source);
  const env = await commonEnv(found, wanted, given, { source, isFolder });
  const set = new Collection(env);
  for (const one of found) {
    try {
      await set.add(one);
    } catch (error) {
      if (!isFolder) throw error;
      leftOut.push(leftBy(error, one.path));
    }
  }
  leftOut.sort((a, b) => (a.path < b.path ? -1 : 1));
  const { groups, changed, duplicates } = set;
  if (groups.length === 0) {
    const [first] = leftOut;
    const none = first ? `none that can be used; ${first.path}: ${first.reason}` : 'none';
    throw new UsageError(unit, `expected policies of ${env.id} in "${source}", found ${none}`);
  }
  return { env, groups, leftOut, changed, duplicates };
}

/** What a policy of a folder is left out for. Throws what is no usage error. */
function leftBy(error: unknown, path: string): LeftOut {
  if (!(error instanceof UsageError)) throw error;
  const isOther = error instanceof OtherError || error instanceof NotPolicyError;
  return { path, reason: error.detail, ...(!isOther && { broken: true }) };
}

/** A policy that has been read and not yet checked. */
interface FoundPolicy extends OpenedPolicy {
  /** file, run folder, or file and line */
  readonly path: string;
  /** its name, where it has none of its own; null: the place of its text */
  readonly name: string | null;
  /** null: it is not of a run */
  readonly manifest: Manifest | null;
}

async function readPolicyLines(source: string): Promise<FoundPolicy[]> {
  const found: FoundPolicy[] = [];
  for await (const input of readLines(unit, source, 'a folder of policies or a file with one policy per line')) {
    found.push({ path: locationOf(input), name: null, input, named: envOfFile(input), manifest: null });
  }
  return found;
}

async function readFolder(root: string, wanted: Env | null, leftOut: LeftOut[]): Promise<FoundPolicy[]> {
  const found: FoundPolicy[] = [];
  const leave = (one: LeftOut) => leftOut.push(one);
  for (const { path, isRun } of policyPaths(root, leave)) {
    const short = relative(root, path).replace(/\.json$/, '');
    const name = short === '' ? path : short;
    try {
      if (isRun) found.push({ path, name, ...(await readBest(path, wanted)) });
      else {
        const input = await readInput(unit, path, 'a policy file');
        found.push({ path, name, input, named: envOfFile(input), manifest: null });
      }
    } catch (error) {
      leftOut.push(leftBy(error, path));
    }
  }
  return found;
}

/** The best policy of a run. */
async function readBest(folder: string, wanted: Env | null): Promise<Omit<FoundPolicy, 'path' | 'name'>> {
  const run = readRun(folder);
  const { manifest } = run;
  if (wanted !== null && manifest.env !== wanted.id) {
    throw new OtherError(unit, `it is a run of ${manifest.env}, not of ${wanted.id}`);
  }
  const best = run.path('best.json');
  if (kindOfPath(best) === 'nothing') {
    if (manifest.status !== 'finished') throw new OtherError(unit, 'it is a run that has no best.json yet');
    if (manifest.imported?.training) throw new OtherError(unit, 'it is an imported training, which has no policy');
  }
  const input = await readInput(unit, best, 'a policy file');
  return { input, named: await envOfBest(run, input), manifest };
}

/**
 * The environment of the policies: what the command says, and where it says nothing, what all of them name. In a folder,
 * those whose environment cannot be opened say nothing: they are left out.
 */
async function commonEnv(
  found: readonly FoundPolicy[],
  wanted: Env | null,
  given: GivenEnv,
  { source, isFolder }: { readonly source: string; readonly isFolder: boolean },
): Promise<Env> {
  const hasOptions = Object.keys(given.envOption).length > 0;
  if (wanted && hasOptions) return withEnvOptions(wanted, given.envOption);
  const own: { readonly env: Env; readonly named: NamedEnv }[] = [];
  const isKnown = (env: Env) =>
    own.some((one) => isSameEnv(one.env, env) && (hasOptions || isEqual(one.env.options, env.options)));
  let unopened: UsageError | null = null;
  for (const { named } of found) {
    if (named === null || own.length > 1) continue;
    let env: Env;
    try {
      env = await openNamedEnv(named);
    } catch (error) {
      if (!isFolder || !(error instanceof UsageError)) throw error;
      unopened ??= error;
      continue;
    }
    if ((wanted === null || isSameEnv(wanted, env)) && !isKnown(env)) own.push({ env, named });
  }
  const [first, second] = own;
  if (first && second) {
    const both = [first, second].map(
      ({ env, named }) => `${env.id} ${JSON.stringify(env.options)} in "${named.source}"`,
    );
    const remedy = isSameEnv(first.env, second.env) ? 'choose one with --env-option' : 'choose one with --env';
    throw new UsageError(unit, `expected policies of one environment, got ${both.join(' and ')}; ${remedy}`);
  }
  if (first)
    return hasOptions
      ? withEnvOptions(await openNamedEnv({ ...first.named, options: {} }), given.envOption)
      : first.env;
  if (wanted) return wanted;
  if (unopened !== null) throw unopened;
  throw new UsageError('--env', `expected an environment, as no policy in "${source}" names one; add --env ID`);
}

class Collection {
  readonly changed: { path: string; reason: string }[] = [];
  readonly duplicates: { name: string; of: string }[] = [];
  readonly #env: Env;
  readonly #groups = new Map<string, { readonly policy: Policy; readonly members: NamedParams[] }>();
  /** by kind and options as they are written */
  readonly #built = new Map<string, Policy>();
  /** name by a digest of group and parameters */
  readonly #known = new Map<string, string>();
  readonly #names = new Set<string>();

  constructor(env: Env) {
    this.#env = env;
  }

  get groups(): PolicyGroup[] {
    return [...this.#groups.values()];
  }

  async add({ path, name, input, named, manifest }: FoundPolicy): Promise<void> {
    const env = this.#env;
    if (named !== null) {
      const what = manifest ? 'it is a run' : `${locationOf(input)}: it is a policy`;
      // No code has to run to see that it is another environment.
      if (env.module === null && isModulePath(named.env)) {
        throw new OtherError(unit, `${what} of "${named.env}", not of ${env.id}`);
      }
      const own = await openNamedEnv(named);
      if (!isSameEnv(own, env)) throw new OtherError(unit, `${what} of ${own.id}, not of ${env.id}`);
      if (!isEqual(own.options, env.options)) {
        const [has, not] = [own, env].map(({ options }) => JSON.stringify(options));
        throw new OtherError(
          unit,
          `${manifest ? 'its' : `${locationOf(input)}: its`} environment has the options ${has}, not ${not}`,
        );
      }
    }
    const reason = manifest && changedSource(manifest, env);
    if (reason !== null) this.changed.push({ path, reason });
    const loaded = parsePolicy(input, env, this.#build);
    this.#add(loaded.name ?? name ?? loaded.source, loaded);
  }

  #build = (kind: string, env: Env, options: PolicyOptions = {}): Policy => {
    const key = JSON.stringify([kind, options]);
    const policy = this.#built.get(key) ?? buildPolicy(kind, env, options);
    this.#built.set(key, policy);
    return policy;
  };

  #add(wantedName: string, { policy, params, source }: LoadedPolicy): void {
    const key = JSON.stringify([policy.kind, policy.options]);
    // Adding zero turns -0 into 0, which acts the same.
    const bytes = params.map((value) => value + 0);
    const content = createHash('sha256').update(key).update(bytes).digest('base64');
    const name = this.#names.has(wantedName) ? `${wantedName} (${source})` : wantedName;
    const twin = this.#known.get(content);
    if (twin !== undefined) {
      this.duplicates.push({ name, of: twin });
      return;
    }
    this.#known.set(content, name);
    this.#names.add(name);
    const group = this.#groups.get(key) ?? { policy, members: [] };
    this.#groups.set(key, group);
    group.members.push({ name, params });
  }
}

interface PolicyPath {
  readonly path: string;
  readonly isRun: boolean;
}

/** In the order of their names; links are followed. `leaveOut` gets the folders below `root` that cannot be read, or are too deep. */
function policyPaths(root: string, leaveOut: (one: LeftOut) => void): PolicyPath[] {
  const found: PolicyPath[] = [];
  walkFolders([root], {
    maxDepth,
    followLinks: true,
    visit({ path, files, folders }, depth) {
      if (files.includes(manifestName)) {
        found.push({ path, isRun: true });
        return [];
      }
      const isPolicy = (name: string) => name.endsWith('.json') && !name.startsWith('.');
      for (const name of files.filter(isPolicy)) found.push({ path: join(path, name), isRun: false });
      const shown = folders.filter((name) => !name.startsWith('.'));
      if (depth === maxDepth && shown.length > 0) leaveOut({ path, reason: notSearched(shown.length) });
      return shown;
    },
    onUnreadable(path, cause, depth) {
      const message = `cannot read the folder "${path}": ${faultWords(cause)}`;
      if (depth === 0) throw new UsageError(unit, message, cause);
      leaveOut({ path, reason: message, broken: true });
    },
  });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
