/**
 * Gives locals whose lives do not meet the same place: an engine's work grows with their number at every branch. A life
 * reaches from the first to the last use, and over a whole loop if it began outside.
 */
import { immediates, op, type WasmType } from './encoder.ts';

/** Renumbers the locals after `parameters` in `code`, and returns the types of those that remain, one type after another. */
export function shareLocals(parameters: number, locals: readonly WasmType[], code: number[]): WasmType[] {
  const count = parameters + locals.length;
  const { first, last } = livesOf(code, count);
  const used = Array.from(locals, (_, i) => parameters + i).filter((local) => first[local] !== -1);
  const byLast = Array.from(used).sort((a, b) => last[a]! - last[b]!);
  used.sort((a, b) => first[a]! - first[b]!);
  const typeOf = (local: number): WasmType => locals[local - parameters]!;
  const free = new Map<WasmType, number[]>(locals.map((type) => [type, []]));
  const counts = new Map<WasmType, number>();
  const places = new Int32Array(count);
  let ended = 0;
  for (const local of used) {
    for (; last[byLast[ended]!]! < first[local]!; ended++)
      free.get(typeOf(byLast[ended]!))!.push(places[byLast[ended]!]!);
    const type = typeOf(local);
    const taken = counts.get(type) ?? 0;
    places[local] = free.get(type)!.pop() ?? taken;
    counts.set(type, Math.max(taken, places[local]! + 1));
  }
  const types: WasmType[] = [];
  const starts = new Map<WasmType, number>();
  for (const [type, taken] of counts) {
    starts.set(type, parameters + types.length);
    for (let i = 0; i < taken; i++) types.push(type);
  }
  for (let i = 0; i < code.length; i += 1 + immediates(code[i]!)) {
    const local = isAccess(code[i]!) ? code[i + 1]! : -1;
    if (local >= parameters) code[i + 1] = starts.get(typeOf(local))! + places[local]!;
  }
  return types;
}

const isAccess = (instruction: number): boolean =>
  instruction === op.get || instruction === op.set || instruction === op.tee;

/** Where each local is used first and last; -1: nowhere. */
function livesOf(code: readonly number[], count: number): { readonly first: Int32Array; readonly last: Int32Array } {
  const first = new Int32Array(count).fill(-1);
  const last = new Int32Array(count).fill(-1);
  // The block that writes a local first, and its depth.
  const writer = new Int32Array(count).fill(-1);
  const writerDepth = new Int32Array(count);
  // An access may read what was there before: it comes before a write, or another path than that of the write leads to it.
  const isCarried = new Uint8Array(count);
  const open: { block: number; readonly start: number; readonly isLoop: boolean }[] = [
    { block: 0, start: 0, isLoop: false },
  ];
  // Those inside first.
  const loops: { readonly start: number; readonly end: number }[] = [];
  let blocks = 0;
  for (let i = 0; i < code.length; i += 1 + immediates(code[i]!)) {
    const instruction = code[i]!;
    if (isAccess(instruction)) {
      const local = code[i + 1]!;
      if (first[local] === -1) first[local] = i;
      last[local] = i;
      if (instruction === op.get) {
        if (open[writerDepth[local]!]?.block !== writer[local]) isCarried[local] = 1;
      } else if (writer[local] === -1) {
        writer[local] = open[open.length - 1]!.block;
        writerDepth[local] = open.length - 1;
      }
    } else if (instruction === op.block || instruction === op.loop || instruction === op.if) {
      open.push({ block: ++blocks, start: i, isLoop: instruction === op.loop });
    } else if (instruction === op.else) open[open.length - 1]!.block = ++blocks;
    else if (instruction === op.end) {
      const { start, isLoop } = open.pop()!;
      if (isLoop) loops.push({ start, end: i });
    }
  }
  for (const { start, end } of loops) {
    for (let local = 0; local < count; local++) {
      const [from, to] = [first[local]!, last[local]!];
      if (from === -1 || to < start || from > end) continue;
      if (from >= start && to <= end && isCarried[local] === 0) continue;
      first[local] = Math.min(from, start);
      last[local] = Math.max(to, end);
    }
  }
  return { first, last };
}
