/** Parses YAML to plain data with the line and column of every key. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml';
import { UsageError } from '../base/errors.ts';
import type { InputText } from '../base/input-text.ts';

/** Without a limit, a text of a few lines can expand to gigabytes. */
const maxAliases = 100;
/** A configuration has three levels; the checks below are recursive. */
const maxDepth = 30;
/** Characters; a configuration has a few hundred. */
const maxLength = 1_000_000;
/**
 * The package parses recursively, and out of stack it ends the whole process. Open brackets at one place; strings may hold
 * some.
 */
const maxOpen = 200;
/** Characters in front of the first value of a line: each level of a block takes at least one. */
const maxIndent = 8 * maxDepth;
/** Keys that a "?" announces: nested ones take a time that grows with the third power of their number. */
const maxExplicitKeys = maxDepth;

const tooDeep = `expected at most ${maxDepth} levels of nesting, got more`;

export interface YamlText {
  readonly value: unknown;
  /**
   * `file:line:column` of the key or the value at `path`, or of the nearest enclosing section.
   */
  locate(path: readonly string[], at: 'key' | 'value' | 'section'): string;
}

/** Most brackets that are open at one place, without a look at quotes. */
function mostOpen(text: string): number {
  let [open, most] = [0, 0];
  for (const [bracket] of text.matchAll(/[[{}\]]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1);
    most = Math.max(most, open);
  }
  return most;
}

/** Whether the package may run out of stack or time on a text, without a look at quotes. */
function isNested(text: string): boolean {
  for (const [indent] of text.matchAll(/^[ \t\uFEFF]*(?:[-?:][ \t]+)*/gm)) if (indent.length > maxIndent) return true;
  const explicitKeys = text.match(/(?<![^\s[{,:?-])\?(?=\s)/g) ?? [];
  return explicitKeys.length > maxExplicitKeys || mostOpen(text) > maxOpen;
}

/** A text of a hundred thousand mistakes has as many errors, whose stack traces would take most of the time. */
function parseQuickly(text: string, lineCounter: LineCounter): Document.Parsed<ParsedNode> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error', stringKeys: true });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Throws a `UsageError` with file, line and column for invalid YAML, or YAML that is not plain data. `tags`: those of
 * another program may be there, and are ignored.
 */
export function parseYaml(unit: string, { name, text }: InputText, { tags = false } = {}): YamlText {
  const lines = new LineCounter();
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const fail = (message: string, cause?: unknown): never => {
    throw new UsageError(unit, message, cause);
  };
  if (text.length > maxLength) fail(`expected at most ${maxLength} characters in ${name}, got ${text.length}`);
  if (isNested(text)) fail(`${where(0)}: ${tooDeep}`);
  let document: Document.Parsed<ParsedNode>;
  let value: unknown;
  try {
    document = parseQuickly(text, lines);
    // Of several documents only the first would be read. A warning (an unknown tag or directive) means text that would be ignored.
    const problem = document.errors[0] ?? (tags ? undefined : document.warnings[0]);
    if (problem?.code === 'RESOURCE_EXHAUSTION') fail(`${where(problem.pos[0])}: ${tooDeep}`, problem);
    if (problem?.code === 'MULTIPLE_DOCS') {
      fail(`${where(problem.pos[0])}: expected one YAML document, got several; remove all but one`, problem);
    }
    if (problem) fail(`${where(problem.pos[0])}: expected YAML, got an error: ${problem.message}`, problem);
    visit(document, {
      Alias(_, alias) {
        if (alias.resolve(document) !== undefined) return;
        const problem = `expected the anchor "&${alias.source}" before "*${alias.source}", found none`;
        fail(`${where(start(alias) ?? 0)}: ${problem}`);
      },
    });
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    // How the package reports aliases that expand too far.
    if (cause instanceof ReferenceError) fail(`expected plain YAML in ${name}, got aliases: ${cause.message}`, cause);
    throw cause;
  }
  if (isDeeper(value, maxDepth)) fail(`${where(0)}: ${tooDeep}`);
  return {
    value,
    locate(path, at) {
      let node: Node | null = document.contents;
      let offset = start(node);
      for (const [depth, key] of path.entries()) {
        if (isAlias(node)) node = node.resolve(document) ?? null;
        const pair = isMap(node) ? node.items.find((p) => isScalar(p.key) && String(p.key.value) === key) : undefined;
        if (!pair) break;
        const keyOffset = start(pair.key as Node);
        node = pair.value as Node | null;
        const last = depth === path.length - 1;
        offset = last && at === 'key' ? keyOffset : (start(node) ?? keyOffset);
      }
      return where(offset ?? 0);
    },
  };
}

/** Whether values are nested deeper than `levels`; an alias of an enclosing value is infinitely deep. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function start(node: Node | null): number | undefined {
  return node?.range?.[0];
}
