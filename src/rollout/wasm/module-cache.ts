/** Compiled programs of this process. The text is the key: environments that differ in constants alone share one. */
import type { Program } from '../webgpu/program/link.ts';
import { compileProgram, type Layout } from './compile/program.ts';
import { compileModule, type WasmModule } from './instance.ts';
import type { ShaderCheck } from './shader-check.ts';

/** What an instance is made of. It can be posted to a thread, whose engine does not compile it again. */
export interface CompiledModule extends Layout {
  /** the same for the same program, in all threads */
  readonly id: number;
  readonly module: WasmModule;
}

/** Programs that are kept: more than the environments and policies of any one call. */
export const maxKept = 64;
const kept = new Map<string, Promise<CompiledModule>>();
let made = 0;

/**
 * The module of an entry point of a program; checked and compiled unless it was among the last programs. The text of the
 * key was checked when it was compiled, or needs no check.
 *
 * @throws R2poError with path, line and column of what does not compile
 */
export function compiledModule(linked: Program, entry: string, check: ShaderCheck): Promise<CompiledModule> {
  const key = `${entry}\n${linked.code}`;
  const found = kept.get(key) ?? compile(linked, entry, check);
  // The last one used comes last.
  kept.delete(key);
  kept.set(key, found);
  found.catch(() => kept.delete(key));
  for (const oldest of kept.keys()) {
    if (kept.size <= maxKept) break;
    kept.delete(oldest);
  }
  return found;
}

async function compile(linked: Program, entry: string, check: ShaderCheck): Promise<CompiledModule> {
  await check(linked, entry);
  const { bytes, ...layout } = compileProgram(linked, entry);
  return { ...layout, id: made++, module: await compileModule(bytes) };
}
