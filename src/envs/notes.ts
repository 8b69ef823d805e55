/**
 * Texts for `prompt.md` that follow from the options of an environment of this package: `{{notes.x}}`. Apart from the
 * environments, which pages load without their descriptions.
 */
import { notes as cartpole } from './cartpole/notes.ts';
import { notes as cliffwalking } from './cliffwalking/notes.ts';
import type { Env } from './env.ts';
import { notes as frozenlake } from './frozenlake/notes.ts';
import { notes as maze } from './maze/notes.ts';
import { notes as mountaincar } from './mountaincar/notes.ts';
import { notes as nim } from './nim/notes.ts';
import { notes as pendulum } from './pendulum/notes.ts';
import { notes as swimmer } from './swimmer/notes.ts';

export type Notes = (
  env: Pick<Env, 'options' | 'params' | 'timeLimit' | 'success'>,
) => Readonly<Record<string, string>>;

/** By the folder of the environment. */
const ofFolder: Readonly<Record<string, Notes>> = {
  cartpole,
  cliffwalking,
  frozenlake,
  maze,
  mountaincar,
  'mountaincar-continuous': mountaincar,
  nim,
  pendulum,
  swimmer,
};

/** The texts of an environment; one that was loaded from a file has its own. */
export function notesOf(env: Env): Readonly<Record<string, string>> {
  return env.module === null ? { ...ofFolder[env.folder]?.(env), ...env.notes } : env.notes;
}
