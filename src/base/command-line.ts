/** A text between single quotes, as it can be typed into a shell. */
export const singleQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** One argument as it can be typed into a shell. */
export const quotedArgument = (arg: string): string => (/^[\w@%+=:,./~#-]+$/.test(arg) ? arg : singleQuoted(arg));

/** `r2po` with these arguments, as it can be typed into a shell. */
export const quotedCommand = (argv: readonly string[]): string => ['r2po', ...argv.map(quotedArgument)].join(' ');
