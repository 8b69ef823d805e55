/** `r2po list envs|policies|methods|models`: ids, sizes and settings. */
import type { Command } from 'commander';
import { UsageError, unknownName } from '../base/errors.ts';
import type { Io } from './io.ts';
import type { Listing } from './listings/listing.ts';
import { addOutputOptions } from './options.ts';

/** Loaded on demand: the model providers alone take longer to load than everything else takes to run. */
const listings: Readonly<Record<string, () => Promise<Listing>>> = {
  envs: async () => (await import('./listings/envs.ts')).listEnvs(),
  policies: async () => (await import('./listings/policies.ts')).listPolicies(),
  methods: async () => (await import('./listings/methods.ts')).listMethods(),
  models: async () => (await import('./listings/models.ts')).listModels(),
};

function readListing(text: string): () => Promise<Listing> {
  const known = Object.keys(listings);
  const listing = Object.hasOwn(listings, text) ? listings[text] : undefined;
  if (!listing) throw new UsageError('list', unknownName('listing', text, known));
  return listing;
}

export function define(command: Command, io: Io): void {
  addOutputOptions(command, io)
    .description(
      'Lists environments, policies, methods or models with their ids, sizes and settings. An infinite bound is null in --json.',
    )
    .argument('<what>', Object.keys(listings).join(', '), readListing)
    .action(async (load: () => Promise<Listing>, options: { json?: boolean }) => {
      const listing = await load();
      if (options.json) io.printJson(listing.records);
      else io.print(io.table(listing.table));
    });
}
