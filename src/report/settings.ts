/** Settings in which runs differ that have the same environment, method and model. */

export interface WithSettings {
  /** what decides the result apart from environment, method, model and seed: leaves as JSON by dotted name */
  readonly settings: ReadonlyMap<string, string>;
}

/** The value in tables of a key that a run does not have. */
export const unset = '(default)';

/** Keys that have several values among the runs, in the order in which configurations have them. */
export function differingSettings(runs: readonly WithSettings[]): string[] {
  const [first, ...others] = runs;
  const keys = new Set(runs.flatMap(({ settings }) => [...settings.keys()]));
  return [...keys].filter((key) => others.some(({ settings }) => settings.get(key) !== first!.settings.get(key)));
}

/** The same among runs of one name. */
export function differingWithin<T extends WithSettings>(runs: readonly T[], nameOf: (run: T) => string): string[] {
  const named = new Map<string, T[]>();
  for (const run of runs) named.set(nameOf(run), [...(named.get(nameOf(run)) ?? []), run]);
  return [...new Set([...named.values()].flatMap((members) => differingSettings(members)))];
}

/** The value of a key as a table shows it. */
export function settingValue({ settings }: WithSettings, key: string): string {
  const json = settings.get(key);
  const value: unknown = json === undefined ? unset : JSON.parse(json);
  return typeof value === 'string' ? value : json!;
}

/** Options of the environment, which an imported training has elsewhere, and the step limit. */
const ofEnvironment = /^(?:(?:sb3\.)?env_options\.|evaluation\.max_steps$)/;

/** Keys by which imported trainings are kept apart that may be of another environment. */
const ofDoubt = ['sb3.env_options', 'sb3.flagged'];

/** Whether a run that does not have a key has a default, of its environment or as no branch, which is a value like any other. */
export const hasDefault = (key: string): boolean =>
  ofEnvironment.test(key) || ofDoubt.includes(key) || key === 'branch';

/** What of the settings makes an environment another one. */
export function environmentOf({ settings }: WithSettings): [string, string][] {
  return [...settings]
    .filter(([key, json]) => ofEnvironment.test(key) && (key !== 'evaluation.max_steps' || json !== 'null'))
    .map(([key, json]) => [key.replace(/^sb3\./, ''), json]);
}
