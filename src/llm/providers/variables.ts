/** The variables of the environment that providers read, and what `.env` adds to them. */

/** Keys of providers; `R2PO_API_KEY` is that of servers named by URL. */
export const keyVariables = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'GEMINI_API_KEY',
  'OPENROUTER_API_KEY',
  'AZURE_OPENAI_API_KEY',
  'OLLAMA_API_KEY',
  'R2PO_API_KEY',
] as const;
/** Addresses of endpoints, and what belongs to them. */
const addressVariables = [
  'OPENAI_BASE_URL',
  'AZURE_OPENAI_ENDPOINT',
  'AZURE_OPENAI_API_VERSION',
  'OLLAMA_BASE_URL',
  'OLLAMA_HOST',
] as const;

export type KeyVariable = (typeof keyVariables)[number];
export type AddressVariable = (typeof addressVariables)[number];

type Variables = Readonly<Record<string, string | undefined>>;

let ofFile: Variables = {};
let taken: ReadonlySet<string> = new Set();

/**
 * Takes over the content of `.env`: known variables that are not set yet are set in `env`, and the others are kept for
 * headers. Returns the names that were set.
 */
export function takeFileVariables(variables: Variables, env: Record<string, string | undefined>): string[] {
  const known = [...keyVariables, ...addressVariables].filter((name) => variables[name] && env[name] === undefined);
  for (const name of known) env[name] = variables[name];
  ofFile = variables;
  taken = new Set(known);
  return known;
}

/** Whether the value of a variable in the environment stands in `.env`. */
export const isFromFile = (name: string): boolean => taken.has(name);

/** The value of a variable of the user's choice, in the environment or else in `.env`. */
export function variableOf(env: Variables, name: string): string | undefined {
  return env[name] ?? (Object.hasOwn(ofFile, name) ? ofFile[name] : undefined);
}
