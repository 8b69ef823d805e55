/** Entry point of a worker thread of the wasm backend: plays programs that the main thread has compiled. */
import { serveSlices } from '../../cpu/node/serve-slices.ts';
import { ProgramInstance } from '../instance.ts';
import type { CompiledModule } from '../module-cache.ts';
import { RolloutProgram, WasmPlayer } from '../player.ts';

/** The last program: a worker plays one for long. */
let last: { readonly id: number; readonly instance: ProgramInstance } | null = null;

serveSlices(async (env, policy, limit, prepared) => {
  const module = prepared as CompiledModule;
  if (last?.id !== module.id) last = { id: module.id, instance: await ProgramInstance.open(module) };
  return new WasmPlayer(new RolloutProgram(last.instance, env, policy), limit);
});
