/** `r2po` with these arguments, as it can be typed into a shell. */
export function quotedCommand(argv: readonly string[]): string {
  const quoted = argv.map((arg) => (/^[\w@%+=:,./~#-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  return ['r2po', ...quoted].join(' ');
}
