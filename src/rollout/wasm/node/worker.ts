/** Entry point of a worker thread of the wasm backend. */
import { readAsset } from '../../../base/node/assets.ts';
import { serveSlices } from '../../cpu/node/serve-slices.ts';
import { RolloutPrograms, WasmPlayer } from '../player.ts';

const programs = new RolloutPrograms(readAsset);

serveSlices(async (env, policy, limit) => new WasmPlayer(await programs.of(env, policy), limit));
