/** `r2po list envs|policies|methods|models`: ids, sizes and settings. */
import type { Command } from 'commander';
import { knownName, UsageError } from '../base/errors.ts';
import type { Io } from './io.ts';
import type { Listing } from './listings/listing.ts';
import { addOutputOptions } from './options.ts';

/** Loaded on demand: the model providers alone take longer to load than everything else takes to run. */
const listings = {
  envs: async (name?: string) => {
    const env = name === undefined ? undefined : await (await import('../envs/node/load.ts')).openEnv(name);
    return (await import('./listings/envs.ts')).listEnvs(env);
  },
  policies: async () => (await import('./listings/policies.ts')).listPolicies(),
  methods: async () => (await import('./listings/methods.ts')).listMethods(),
  models: async () => (await import('./listings/models.ts')).listModels(),
} satisfies Record<string, (name?: string) => Promise<Listing>>;
/** Listings that can be limited to one name. */
const takingName: readonly string[] = ['envs'];
const names = Object.keys(listings) as (keyof typeof listings)[];

export function define(command: Command, io: Io): void {
  addOutputOptions(command, io)
    .description(
      'Lists environments, policies, methods or models with their ids, sizes and settings. An infinite bound is null in --json.',
    )
    .argument('<what>', names.join(', '), (text) => knownName('list', 'listing', text, names))
    .argument('[name]', 'one environment, with its options; or the path of an environment module')
    .action(async (what: (typeof names)[number], name: string | undefined, options: { json?: boolean }) => {
      if (name !== undefined && !takingName.includes(what)) {
        throw new UsageError('list', `expected a name after "envs" only, got "${name}" after "${what}"; remove it`);
      }
      const listing = await listings[what](name);
      if (options.json) io.printJson(listing.records);
      else io.print(io.table(listing.table));
    });
}
