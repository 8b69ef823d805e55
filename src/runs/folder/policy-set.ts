/** Loads many policies of one environment, from a folder or from a file with one policy per line. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { walkFolders } from '../../base/node/walk.ts';
import { kindOfPath, readInput, readLines } from '../../config/input.ts';
import { type LoadedPolicy, NotPolicyError, parsePolicy } from '../../config/policy-file.ts';
import { manifestName } from '../../config/recorded.ts';
import type { Env } from '../../envs/env.ts';
import { findEnv } from '../../envs/registry.ts';
import { buildPolicy } from '../../policies/index.ts';
import type { Policy, PolicyOptions } from '../../policies/policy.ts';
import { changedSource } from './env-source.ts';
import type { LeftOut } from './find-runs.ts';
import { readRun } from './read-run.ts';

const unit = '--policies';
/** Levels below the given folder that are searched. */
const maxDepth = 3;

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
 * within it, or a file of policy documents, one per line (`-` for stdin). In a folder, anything
 * but policies of this environment is left out with the reason. Invalid lines and a source without a policy are usage errors.
 */
export async function loadPolicySet(source: string, env: Env): Promise<PolicySet> {
  const set = new Collection(env);
  if (source !== '-' && kindOfPath(source) === 'folder') await set.addFolder(source);
  else await set.addLines(source);
  const { groups, leftOut, changed, duplicates } = set;
  if (groups.length === 0) {
    const [first] = leftOut;
    const found = first ? `none that can be used; ${first.path}: ${first.reason}` : 'none';
    throw new UsageError(unit, `expected policies of ${env.id} in "${source}", found ${found}`);
  }
  return { groups, leftOut, changed, duplicates };
}

class Collection {
  readonly leftOut: LeftOut[] = [];
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

  async addLines(source: string): Promise<void> {
    for await (const input of readLines(unit, source, 'a folder of policies or a file with one policy per line')) {
      const loaded = parsePolicy(input, this.#env, this.#build);
      this.#add(loaded.name ?? loaded.source, loaded);
    }
  }

  async addFolder(root: string): Promise<void> {
    const leave = (path: string, reason: string) => this.leftOut.push({ path, reason, broken: true });
    for (const path of policyPaths(root, leave)) {
      try {
        const file = path.isRun ? await this.#bestOf(path.path) : path.path;
        const loaded = parsePolicy(await readInput(unit, file, 'a policy file'), this.#env, this.#build);
        const short = relative(root, path.path).replace(/\.json$/, '');
        this.#add(loaded.name ?? (short === '' ? path.path : short), loaded);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        const isOther = error instanceof OtherError || error instanceof NotPolicyError;
        this.leftOut.push({ path: path.path, reason: error.detail, ...(!isOther && { broken: true }) });
      }
    }
  }

  /** The policy file of a run, which must be one of this environment with the same options. */
  async #bestOf(folder: string): Promise<string> {
    const run = readRun(folder);
    const { manifest } = run;
    if (manifest.env !== this.#env.id) {
      throw new OtherError(unit, `it is a run of ${manifest.env}, not of ${this.#env.id}`);
    }
    if (manifest.imported?.training) throw new OtherError(unit, 'it is an imported training, which has no policy');
    if (this.#env.withOptions !== null) {
      const { env, env_options: given } = await run.config();
      const [own, wanted] = [findEnv(env, given), this.#env].map(({ options }) => JSON.stringify(options));
      if (own !== wanted) throw new OtherError(unit, `its environment has the options ${own}, not ${wanted}`);
    }
    const reason = changedSource(manifest, this.#env);
    if (reason !== null) this.changed.push({ path: folder, reason });
    const best = run.path('best.json');
    if (manifest.status !== 'finished' && kindOfPath(best) === 'nothing') {
      throw new OtherError(unit, 'it is a run that has no best.json yet');
    }
    return best;
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

/** In the order of their names; links are followed. `leaveOut` gets the folders below `root` that cannot be read. */
function policyPaths(root: string, leaveOut: (path: string, reason: string) => void): PolicyPath[] {
  const found: PolicyPath[] = [];
  walkFolders([root], {
    maxDepth,
    followLinks: true,
    visit({ path, files, folders }) {
      if (files.includes(manifestName)) {
        found.push({ path, isRun: true });
        return [];
      }
      const isPolicy = (name: string) => name.endsWith('.json') && !name.startsWith('.');
      found.push(...files.filter(isPolicy).map((name) => ({ path: join(path, name), isRun: false })));
      return folders.filter((name) => !name.startsWith('.'));
    },
    onUnreadable(path, cause, depth) {
      const message = `cannot read the folder "${path}": ${faultWords(cause)}`;
      if (depth === 0) throw new UsageError(unit, message, cause);
      leaveOut(path, message);
    },
  });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
