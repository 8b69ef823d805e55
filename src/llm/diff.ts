/** A line diff for error messages: changed lines with some context. */

type Edit = { readonly kind: ' ' | '-' | '+'; readonly line: string };

/**
 * Above this many line pairs the changed part is shown as removed and added as a whole, to bound the table's memory.
 */
const maxPairs = 4_000_000;

/**
 * The differences as in a unified diff: `-` lines of `expected`, `+` lines of `got`, `context` unchanged lines around
 * them, `@@ line n @@` with the line number in `expected` before each group. At most about `maxLines` lines. Empty when
 * both are equal.
 */
export function lineDiff(expected: string, got: string, context = 2, maxLines = 60): string {
  if (expected === got) return '';
  const edits = editScript(expected.split('\n'), got.split('\n'));
  const shown: string[] = [];
  let line = 1;
  let printedUpTo = -1;
  const near = nearChange(edits, context);
  for (const [i, edit] of edits.entries()) {
    if (near[i]) {
      if (printedUpTo !== i - 1 || i === 0) shown.push(`@@ line ${line} @@`);
      shown.push(`${edit.kind} ${edit.line}`.trimEnd());
      printedUpTo = i;
    }
    if (edit.kind !== '+') line += 1;
  }
  if (shown.length <= maxLines) return shown.join('\n');
  return [...shown.slice(0, maxLines), `(${shown.length - maxLines} more lines differ or surround differences)`].join(
    '\n',
  );
}

/** [edits], true within `context` lines of a change. */
function nearChange(edits: readonly Edit[], context: number): boolean[] {
  const near = edits.map(() => false);
  for (const [i, edit] of edits.entries()) {
    if (edit.kind === ' ') continue;
    near.fill(true, Math.max(0, i - context), Math.min(edits.length, i + context + 1));
  }
  return near;
}

/** Equal lines at both ends are matched first, so that the table covers only the changed part. */
function editScript(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const same = (lines: readonly string[]) => lines.map((line): Edit => ({ kind: ' ', line }));
  return [
    ...same(a.slice(0, head)),
    ...changedPart(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

/** Longest common subsequence of lines, by dynamic programming from the end. */
function changedPart(a: readonly string[], b: readonly string[]): Edit[] {
  const removed = a.map((line): Edit => ({ kind: '-', line }));
  const added = b.map((line): Edit => ({ kind: '+', line }));
  if (a.length * b.length > maxPairs) return [...removed, ...added];
  const width = b.length + 1;
  const length = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const skip = Math.max(length[(i + 1) * width + j]!, length[i * width + j + 1]!);
      length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1]! + 1 : skip;
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      edits.push({ kind: ' ', line: a[i]! });
      i++;
      j++;
    } else if (length[(i + 1) * width + j]! >= length[i * width + j + 1]!) edits.push(removed[i++]!);
    else edits.push(added[j++]!);
  }
  return [...edits, ...removed.slice(i), ...added.slice(j)];
}
