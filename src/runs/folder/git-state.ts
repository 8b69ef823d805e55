/** The commit of the working directory. Its repository may be somebody else's, and git runs programs that one names. */
import { execFileSync } from 'node:child_process';

export interface GitState {
  readonly revision: string;
  /** whether tracked files differ from the commit */
  readonly dirty: boolean;
}

/** A configuration of a repository may name a file monitor, hooks, and programs that fetch missing objects. */
const harmless: readonly (readonly [name: string, value: string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
];
const environment = { GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' };

function git(args: readonly string[], settings: typeof harmless): string {
  const variables = settings.flatMap(([name, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, name],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return execFileSync('git', [...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]), ...args], {
    encoding: 'utf8',
    timeout: 5000,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      ...environment,
      ...Object.fromEntries(variables),
      GIT_CONFIG_COUNT: String(settings.length),
    },
  });
}

/** Turns off the programs that convert files before they are compared. */
function withoutFilters(): typeof harmless {
  let names: string;
  try {
    names = git(['config', '-z', '--name-only', '--get-regexp', '^filter\\.'], harmless);
  } catch {
    // There are none.
    return harmless;
  }
  const sections = new Set(names.split('\0').map((name) => name.replace(/\.[^.]*$/, '')));
  sections.delete('');
  return [
    ...harmless,
    ...[...sections].flatMap((section) => [
      [`${section}.clean`, ''] as const,
      [`${section}.process`, ''] as const,
      [`${section}.required`, 'false'] as const,
    ]),
  ];
}

/** Null without a repository or git. */
export function gitState(): GitState | null {
  try {
    const asked = ['status', '--porcelain=v2', '--branch', '--untracked-files=no', '--ignore-submodules=all'];
    const lines = git(asked, withoutFilters()).trim().split('\n');
    const revision = lines.map((line) => /^# branch\.oid ([\da-f]+)$/.exec(line)?.[1]).find((oid) => oid !== undefined);
    return revision === undefined ? null : { revision, dirty: lines.some((line) => !line.startsWith('#')) };
  } catch {
    return null;
  }
}
