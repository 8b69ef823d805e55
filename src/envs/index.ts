/** Every environment, one line each. */
import { acrobot } from './acrobot/index.ts';
import { cartpole } from './cartpole/index.ts';
import { cliffwalking } from './cliffwalking/index.ts';
import type { Env } from './env.ts';
import { frozenlake } from './frozenlake/index.ts';
import { invertedDoublePendulum } from './inverted-double-pendulum/index.ts';
import { invertedPendulum } from './inverted-pendulum/index.ts';
import { maze } from './maze/index.ts';
import { mountaincar } from './mountaincar/index.ts';
import { mountaincarContinuous } from './mountaincar-continuous/index.ts';
import { nim } from './nim/index.ts';
import { pendulum } from './pendulum/index.ts';
import { pong } from './pong/index.ts';
import { swimmer } from './swimmer/index.ts';

/** Every environment of the package, in the order of `r2po list envs`. */
export const envs: readonly Env[] = [
  cartpole,
  mountaincar,
  mountaincarContinuous,
  acrobot,
  pendulum,
  pong,
  invertedPendulum,
  invertedDoublePendulum,
  swimmer,
  frozenlake,
  cliffwalking,
  nim,
  maze,
];
