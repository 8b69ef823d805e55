/** Entry point of a worker thread of the cpu backend. */
import { Player } from '../loop.ts';
import { serveSlices } from './serve-slices.ts';

serveSlices((env, policy, limit) => new Player(env, policy, limit));
