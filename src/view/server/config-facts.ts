/** What the list of runs takes from `config.yaml`: reading a thousand of them takes a second, and most differ in seeds only. */
import { isSection } from '../../config/layers.ts';
import { configName } from '../../config/recorded.ts';
import type { Config } from '../../config/schema.ts';
import { parseYaml } from '../../config/yaml-text.ts';
import { resolveUnits } from '../../runs/resolve-units.ts';

export interface ConfigFacts {
  /** iterations that the run will take; null: not known */
  readonly planned: number | null;
  /** episodes of each evaluation; null: not known */
  readonly episodes: number | null;
}

const nothing: ConfigFacts = { planned: null, episodes: null };
const kept = 5000;
const known = new Map<string, ConfigFacts>();

const seeds = /^ *seed: .*$/gm;

/** `text`: of `config.yaml`; one that another version or a user wrote gives what can be read of it. */
export function configFacts(text: string): ConfigFacts {
  const key = text.replace(seeds, '');
  const found = known.get(key);
  if (found) return found;
  const facts = factsOf(text);
  if (known.size >= kept) known.clear();
  known.set(key, facts);
  return facts;
}

const wholeOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;

function factsOf(text: string): ConfigFacts {
  let config: unknown;
  try {
    config = parseYaml('config', { name: configName, text }).value;
  } catch {
    return nothing;
  }
  if (!isSection(config)) return nothing;
  const episodes = isSection(config.evaluation) ? wholeOrNull(config.evaluation.episodes) : null;
  return { episodes, planned: wholeOrNull(config.iterations) ?? plannedOf(config) };
}

/** The iterations of a search with an optimiser follow from its budget and its population. */
function plannedOf(config: unknown): number | null {
  try {
    const units = resolveUnits(config as Config);
    return units.driver.iterations(units);
  } catch {
    // A configuration of another version, or an environment of the user, which is not loaded here.
    return null;
  }
}
