/** Which controls a provider supports, and the user's headers with their values from the environment. */
import { UsageError } from '../../base/errors.ts';
import type { Controls } from '../controls.ts';
import { variableOf } from './variables.ts';

/** Controls that only some providers support, with their configuration keys. All endpoints support the others. */
const settings = {
  topP: 'llm.top_p',
  stop: 'llm.stop',
  reasoningEffort: 'llm.reasoning_effort',
  think: 'llm.think',
  numCtx: 'llm.num_ctx',
  keepAlive: 'llm.keep_alive',
} as const satisfies Partial<Record<keyof Controls, string>>;

export type ControlName = keyof typeof settings;

/** The controls that a provider supports; `form`: its model names, for messages. */
export interface ControlSupport {
  readonly form: string;
  readonly controls: readonly ControlName[];
}

/**
 * Throws a usage error for a control that is set and that `provider` does not support; it names those of `all` that do.
 */
export function requireControls(
  model: string,
  provider: ControlSupport,
  all: readonly ControlSupport[],
  controls: Controls,
): void {
  for (const name of Object.keys(settings) as ControlName[]) {
    const value = controls[name];
    const isSet = Array.isArray(value) ? value.length > 0 : value !== null;
    if (!isSet || provider.controls.includes(name)) continue;
    const others = all.filter((other) => other.controls.includes(name)).map(({ form }) => form);
    const supported = others.length === 0 ? 'no provider supports it' : `supported by ${others.join(', ')}`;
    throw new UsageError(
      `model ${model}`,
      `expected no ${settings[name]}, which this provider does not support; leave it out (${supported})`,
    );
  }
}

/** Headers that the client sets itself; other values would break it. */
const reservedHeaders = [
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
];

/** The variables that the user's headers name. */
export function headerVariables({ headers }: Controls): string[] {
  return Object.values(headers).map((reference) => reference.replace(/^\$/, ''));
}

/** The user's headers with the values of their variables. Throws a usage error for an unset variable. */
export function headersOf(
  { headers }: Controls,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, reference] of Object.entries(headers)) {
    const unit = `llm.headers.${name}`;
    if (reservedHeaders.includes(name.toLowerCase())) {
      throw new UsageError(unit, 'expected a header that the client does not set itself; leave this one out');
    }
    const variable = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(reference)?.[1];
    // The value may be a secret, so it is not quoted.
    if (variable === undefined) throw new UsageError(unit, 'expected $ and the name of an environment variable');
    const value = variableOf(env, variable)?.trim();
    if (!value)
      throw new UsageError(
        unit,
        `expected a value in the environment variable ${variable}, got none; set it there or in .env`,
      );
    if (!/^[\x20-\x7e]+$/.test(value)) {
      throw new UsageError(unit, `expected a value without special characters in ${variable}; set it again`);
    }
    found[name] = value;
  }
  return found;
}
