/** Reads the GBNF that our grammars use, and says which texts they admit. */

type Node =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'class'; readonly has: (character: string) => boolean }
  | { readonly kind: 'all'; readonly parts: readonly Node[] }
  | { readonly kind: 'any'; readonly options: readonly Node[] }
  | { readonly kind: 'times'; readonly of: Node; readonly least: number; readonly most: number }
  | { readonly kind: 'name'; readonly name: string };

class Reader {
  private at = 0;
  private readonly line: string;

  constructor(line: string) {
    this.line = line;
  }

  private take(expression: RegExp): RegExpExecArray | null {
    const found = new RegExp(expression, 'y');
    found.lastIndex = this.at;
    const match = found.exec(this.line);
    if (match) this.at = found.lastIndex;
    return match;
  }

  rule(): [string, Node] {
    const name = this.take(/([a-z][a-z0-9]*) ::= /)![1]!;
    const body = this.alternatives();
    if (this.at !== this.line.length) throw new Error(`what is "${this.line.slice(this.at, this.at + 40)}"?`);
    return [name, body];
  }

  private alternatives(): Node {
    const options = [this.sequence()];
    while (this.take(/ ?\| ?/)) options.push(this.sequence());
    return { kind: 'any', options };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    for (let part = this.item(); part !== null; part = this.item()) {
      parts.push(part);
      this.take(/ (?!\|)/);
    }
    if (parts.length === 0) throw new Error(`nothing at "${this.line.slice(this.at, this.at + 40)}"`);
    return { kind: 'all', parts };
  }

  private item(): Node | null {
    const atom = this.atom();
    if (atom === null) return null;
    const count = this.take(/\?|\{(\d+)(?:,(\d+))?\}/);
    if (count === null) return atom;
    if (count[0] === '?') return { kind: 'times', of: atom, least: 0, most: 1 };
    return { kind: 'times', of: atom, least: Number(count[1]), most: Number(count[2] ?? count[1]) };
  }

  private atom(): Node | null {
    const literal = this.take(/"((?:[^"\\\n]|\\["\\n])*)"/);
    if (literal) return { kind: 'literal', text: unescaped(literal[1]!) };
    const set = this.take(/\[((?:[^\]\\]|\\.)+)\]/);
    if (set) {
      const expression = new RegExp(`^[${set[1]}]$`);
      return { kind: 'class', has: (character) => expression.test(character) };
    }
    const name = this.take(/[a-z][a-z0-9]*/);
    if (name) return { kind: 'name', name: name[0] };
    if (!this.take(/\(/)) return null;
    const inside = this.alternatives();
    if (!this.take(/\)/)) throw new Error('a group without an end');
    return inside;
  }
}

const unescaped = (text: string) => text.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));

/**
 * The most rules that llama.cpp makes of one repetition: those of what is repeated, multiplied by how often. It refuses
 * a grammar where they are more than 2000.
 */
export function mostRepeatedRules(grammar: string): number {
  let most = 0;
  /** Rules that are made of a node as the inside of a group. */
  const rulesOf = (node: Node): number => {
    switch (node.kind) {
      case 'all':
        return node.parts.reduce((sum, part) => sum + rulesOf(part), 0);
      case 'any':
        return node.options.reduce((sum, option) => sum + rulesOf(option), 1);
      case 'times': {
        const inside = rulesOf(node.of);
        most = Math.max(most, Math.max(1, inside) * node.most);
        return inside + node.most - node.least;
      }
      default:
        return 0;
    }
  };
  for (const line of grammar.split('\n')) rulesOf(new Reader(line).rule()[1]);
  return most;
}

/** A function that tells whether the grammar admits a whole text. */
export function matcherOf(grammar: string): (text: string) => boolean {
  const rules = new Map(grammar.split('\n').map((line) => new Reader(line).rule()));
  return (text) => {
    /** All positions at which `node` can end when it begins at one of `starts`. */
    const ends = (node: Node, starts: ReadonlySet<number>): ReadonlySet<number> => {
      if (starts.size === 0) return starts;
      switch (node.kind) {
        case 'literal':
          return new Set([...starts].filter((at) => text.startsWith(node.text, at)).map((at) => at + node.text.length));
        case 'class':
          return new Set([...starts].filter((at) => at < text.length && node.has(text[at]!)).map((at) => at + 1));
        case 'all':
          return node.parts.reduce((at, part) => ends(part, at), starts);
        case 'any':
          return new Set(node.options.flatMap((option) => [...ends(option, starts)]));
        case 'name':
          return ends(rules.get(node.name)!, starts);
        case 'times': {
          const all = new Set<number>();
          let now = starts;
          for (let round = 0; round <= node.most && now.size > 0; round++) {
            if (round >= node.least) for (const at of now) all.add(at);
            now = ends(node.of, now);
          }
          return all;
        }
      }
    };
    return ends(rules.get('root')!, new Set([0])).has(text.length);
  };
}
