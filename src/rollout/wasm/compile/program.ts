/** From a linked program to a WebAssembly module that runs an entry point for consecutive invocations, four at a time. */
import type { FunctionDeclaration } from '../wgsl/ast.ts';
import { parse } from '../wgsl/parser.ts';
import { type Linked, Source } from '../wgsl/source.ts';
import { vectorOf } from '../wgsl/types.ts';
import { binary } from './arithmetic.ts';
import { encodeModule, NOTHING, op, simd } from './encoder.ts';
import { known, type Leaf, leafOf, localOf } from './function-code.ts';
import { NeedsMemory, plainValue, type Value } from './places.ts';
import { lanes, Refill, refillable } from './refill.ts';

/** Where a program expects its buffers. */
export interface Layout {
  /** addresses of buffers of known size, by binding */
  readonly fixedBuffers: ReadonlyMap<number, number>;
  /** bytes per element of the others, by binding */
  readonly strides: ReadonlyMap<number, number>;
  /** first byte that the program does not use itself: buffers of unknown size follow */
  readonly end: number;
}

export interface CompiledProgram extends Layout {
  /** exports `run(first, end)`, imports `env.memory` */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The program is right (`ShaderCheck`). @throws UnsupportedError with path, line and column of what does not compile here */
export function compileProgram(linked: Linked, entry: string): CompiledProgram {
  const module = parse(linked);
  const source = new Source(linked);
  const inMemory = new Set<number>();
  for (;;) {
    const compiler = new ProgramCompiler(source, module);
    for (const at of inMemory) compiler.inMemory.add(at);
    try {
      return compiler.compile(entry);
    } catch (error) {
      if (!(error instanceof NeedsMemory) || inMemory.has(error.at)) throw error;
      inMemory.add(error.at);
    }
  }
}

class ProgramCompiler extends Refill {
  compile(entry: string): CompiledProgram {
    const declaration = this.module.functions.get(entry)!;
    // In the order of the text, so that addresses do not depend on which is used first.
    for (const name of this.module.buffers.keys()) this.find(name);
    const first = this.code.parameter('u32', false);
    const end = this.code.parameter('u32', false);
    const parts = refillable(declaration);
    if (parts) this.refilling(declaration, parts, first, end);
    else this.#groups(declaration, first, end);
    this.functions.push(this.code.finish('run'));
    const bytes = encodeModule(this.functions, this.data, Math.ceil(this.free / 65536));
    return { bytes, fixedBuffers: this.fixedBuffers, strides: this.strides, end: this.free };
  }

  protected valuesOf(declaration: FunctionDeclaration, ids: Leaf): Value[] {
    const triple = (x: Leaf, y: number): Value => plainValue(vectorOf('u32', 3), [x, known('u32', y), known('u32', y)]);
    return declaration.parameters.map(({ builtin, name, type, at }) => {
      const given =
        builtin === 'global_invocation_id'
          ? triple(ids, 0)
          : builtin === 'num_workgroups'
            ? triple(known('u32', 1), 1)
            : null;
      if (!given)
        return this.source.unsupported(at, `expected global_invocation_id or num_workgroups, got "${builtin ?? name}"`);
      return this.converted(given, this.resolve(type));
    });
  }

  /** Groups of four invocations, one after the other. */
  #groups(declaration: FunctionDeclaration, first: Leaf, end: Leaf): void {
    const { code } = this;
    const base = code.slot('u32', false);
    code.move([{ from: first, to: base }]);
    code.emit(op.block, NOTHING, op.loop, NOTHING);
    code.emit(code.scalarCode(base), code.scalarCode(end), op.geU, op.brIf, 1);
    const ids = code.keep(leafOf('u32', true, [code.vectorCode(base), code.words([0, 1, 2, 3]), simd.add]));
    this.active = binary(code, '<', ids, end);
    this.inline(declaration, this.valuesOf(declaration, ids));
    code.emit(code.scalarCode(base), op.i32, lanes, op.add);
    code.define(localOf(base), base);
    code.emit(op.br, 0, op.end, op.end);
  }
}
