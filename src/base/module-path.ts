/** Names that mean a module of the user: `./my-env`, `/abs/env.js`, `env.ts`. */
export const modulePathPattern = /^\.{0,2}[/\\]|^[A-Za-z]:[/\\]|^\.{1,2}$|\.[cm]?[jt]s$/;

export const isModulePath = (name: string): boolean => modulePathPattern.test(name);
