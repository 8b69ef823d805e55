/** From `CONFIG... key=a,b seed=0..9` to the runs of a sweep. */
import { UsageError } from '../base/errors.ts';
import { type Axis, combinations, parseAxes } from '../config/axes.ts';
import { type ChosenIdle, type ConfigFile, type ConfigFlags, openConfig } from '../config/resolve.ts';
import type { Config } from '../config/schema.ts';
import { shippedConfigs } from '../config/shipped.ts';
import type { RunStart } from '../runs/folder/folder.ts';
import { runHash } from '../runs/folder/identity.ts';
import { refuseRecordedEndpoints } from '../runs/models/recorded-endpoints.ts';

export interface SweepRun {
  /** hash of the configuration, so equal configurations are the same run */
  readonly id: string;
  readonly config: Config;
  /** text of `config.yaml` */
  readonly yaml: string;
  /** of a branch */
  readonly start?: RunStart;
}

export interface SweepRequest {
  /** files, or names of shipped configurations with `*` as wildcard: `cartpole/*` */
  readonly configs: readonly string[];
  readonly axes: readonly Axis[];
  readonly flags: ConfigFlags;
  /** every n-th run only */
  readonly shard: Shard | null;
}

export interface Shard {
  /** 1 ... of */
  readonly index: number;
  readonly of: number;
}

/** Separates configurations from `key=value` arguments by the `=`. */
export function splitArguments(args: readonly string[]): {
  readonly configs: readonly string[];
  readonly axes: readonly Axis[];
} {
  const isOverride = (text: string): boolean => /^[^/\\]*=/.test(text);
  const configs = args.filter((text) => !isOverride(text));
  if (configs.length === 0) {
    throw new UsageError('sweep', 'expected a configuration, got none; name a file or a shipped one: cartpole/r2po');
  }
  const axes = parseAxes(args.filter(isOverride));
  return { configs, axes };
}

/** The shipped configurations that match a name with `*`. */
function matching(name: string): string[] {
  if (!name.includes('*')) return [name];
  const pattern = new RegExp(
    `^${name
      .split('*')
      .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
      .join('[^/]*')}$`,
  );
  const found = shippedConfigs().filter((shipped) => pattern.test(shipped));
  if (found.length > 0) return found;
  throw new UsageError('sweep', `expected shipped configurations like "${name}", found none; they are <env>/<method>`);
}

/**
 * Refuses an override that has no effect on any run: on some of them it may have none, as where methods with a critic and
 * without one share their settings.
 */
async function refuseIdleOverrides(files: readonly ConfigFile[], axes: readonly Axis[], flags: ConfigFlags) {
  // Seeds decide nothing, and there may be many.
  const deciding = axes.map((axis) => (axis.key === 'seed' ? { ...axis, choices: axis.choices.slice(0, 1) } : axis));
  let idle: readonly ChosenIdle[] | null = null;
  for (const file of files) {
    for (const overrides of combinations(deciding)) {
      const here: ChosenIdle[] = [];
      await file.resolve(overrides, flags, (found) => here.push(found));
      const known = new Set(here.map(({ key }) => key));
      idle = idle === null ? here : idle.filter(({ key }) => known.has(key));
      if (idle.length === 0) return;
    }
  }
  const [first] = idle ?? [];
  if (first) throw new UsageError('config', `${first.place}: ${first.message}`);
}

/** The distinct runs in order. Throws a usage error for the first invalid one. */
export async function* expandSweep({ configs, axes, flags, shard }: SweepRequest): AsyncGenerator<SweepRun> {
  const seen = new Set<string>();
  const files = await Promise.all(configs.flatMap(matching).map((name) => openConfig(name)));
  await refuseIdleOverrides(files, axes, flags);
  for (const file of files) {
    for (const overrides of combinations(axes)) {
      const resolved = await file.resolve(overrides, flags, () => {});
      refuseRecordedEndpoints(resolved);
      const { config } = resolved;
      const id = runHash(config);
      if (seen.has(id)) continue;
      const place = seen.size;
      seen.add(id);
      if (shard && place % shard.of !== shard.index - 1) continue;
      yield {
        id,
        config,
        get yaml() {
          return resolved.yaml;
        },
      };
    }
  }
}

/** Keys with more than one value, except the seed: the columns that distinguish the runs. */
export function variedKeys(axes: readonly Axis[]): string[] {
  return axes.flatMap(({ key, choices }) => (choices.length > 1 && key !== 'seed' ? [key] : []));
}
