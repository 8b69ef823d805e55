/** `r2po list envs|policies|methods|models`: ids, sizes and settings. */
import type { Command } from 'commander';
import { knownName } from '../base/errors.ts';
import type { Io } from './io.ts';
import type { Listing } from './listings/listing.ts';
import { addOutputOptions } from './options.ts';

/** Loaded on demand: the model providers alone take longer to load than everything else takes to run. */
const listings = {
  envs: async () => (await import('./listings/envs.ts')).listEnvs(),
  policies: async () => (await import('./listings/policies.ts')).listPolicies(),
  methods: async () => (await import('./listings/methods.ts')).listMethods(),
  models: async () => (await import('./listings/models.ts')).listModels(),
} satisfies Record<string, () => Promise<Listing>>;
const names = Object.keys(listings) as (keyof typeof listings)[];

export function define(command: Command, io: Io): void {
  addOutputOptions(command, io)
    .description(
      'Lists environments, policies, methods or models with their ids, sizes and settings. An infinite bound is null in --json.',
    )
    .argument('<what>', names.join(', '), (text) => listings[knownName('list', 'listing', text, names)])
    .action(async (load: () => Promise<Listing>, options: { json?: boolean }) => {
      const listing = await load();
      if (options.json) io.printJson(listing.records);
      else io.print(io.table(listing.table));
    });
}
