/** Order statistics of values that are not kept in memory but can be read several times. */

/** Bits of a double's sort key that each pass counts, the highest first. */
const digitBits = [22, 21, 21] as const;

/** Number of passes over all values. */
export const rankPasses = digitBits.length;

interface Target {
  readonly rank: number;
  /** the digits that are known */
  readonly digits: readonly number[];
  /** its rank among the values with these digits */
  readonly left: number;
}

/**
 * Finds the values at the `ranks` (0-based) of the sorted values: give all values to `add`, call `endPass`, and
 * repeat that `rankPasses` times. The parts may differ between passes, the values must not. None may be NaN; fewer than 2^32.
 * Counts the digits of the values in their order (radix selection), so memory does not grow with their number: 16 MiB,
 * and then 8 MiB per rank.
 */
export class RankSearch {
  #targets: readonly Target[];
  #counts: readonly Uint32Array[];
  /** for every first digit, from 1 on the counts that its values go into */
  readonly #slots = new Uint8Array(2 ** digitBits[0]);
  /** the digits of the values that are counted, one list per entry of `counts` */
  #prefixes: readonly (readonly number[])[] = [[]];
  #pass = 0;

  constructor(ranks: readonly number[]) {
    this.#targets = ranks.map((rank) => ({ rank, digits: [], left: rank }));
    this.#counts = [new Uint32Array(2 ** digitBits[0])];
  }

  add(values: Float64Array): void {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    if (this.#pass === 0) countFirst(words, this.#counts[0]!);
    else if (this.#pass === 1) countSecond(words, this.#slots, this.#counts);
    else countThird(words, this.#slots, this.#prefixes, this.#counts);
  }

  endPass(): void {
    const narrowed = this.#targets.map(({ rank, digits, left }) => {
      const counts = this.#counts[this.#prefixes.findIndex((prefix) => sameDigits(prefix, digits))]!;
      let digit = 0;
      let rest = left;
      while (digit < counts.length && rest >= counts[digit]!) {
        rest -= counts[digit]!;
        digit++;
      }
      return { rank, digits: [...digits, digit], left: rest };
    });
    this.#targets = narrowed;
    this.#pass++;
    const bits = digitBits[this.#pass];
    if (bits === undefined) return;
    const all = narrowed.map(({ digits }) => digits);
    this.#prefixes = all.filter((digits, i) => all.findIndex((other) => sameDigits(other, digits)) === i);
    this.#counts = this.#prefixes.map(() => new Uint32Array(2 ** bits));
    this.#prefixes.forEach(([first], i) => {
      this.#slots[first!] = i + 1;
    });
  }

  /** After the last pass: the value at one of the ranks. */
  at(rank: number): number {
    const target = this.#targets.find((one) => one.rank === rank);
    if (target === undefined || target.digits.length < rankPasses) {
      throw new Error(
        `expected one of the ranks asked for after ${rankPasses} passes, got ${rank} after ${this.#pass}`,
      );
    }
    const [first, second, third] = target.digits;
    const high = (first! << 10) | (second! >>> 11);
    const low = (second! << 21) | third!;
    // From the sort key back to the double.
    const words = high < 0 ? [low, high ^ (1 << 31)] : [~low, ~high];
    return new Float64Array(new Int32Array(words).buffer)[0]!;
  }
}

function sameDigits(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((digit, i) => digit === b[i]);
}

/** The highest bits of the sort key, an unsigned integer in the order of the doubles: negative ones have all bits inverted. */
function countFirst(words: Uint32Array, counts: Uint32Array): void {
  for (let i = 1; i < words.length; i += 2) {
    const high = words[i]! ^ ((words[i]! >> 31) | 0x80000000);
    counts[high >>> 10]!++;
  }
}

function countSecond(words: Uint32Array, slots: Uint8Array, counts: readonly Uint32Array[]): void {
  for (let i = 0; i < words.length; i += 2) {
    const sign = words[i + 1]! >> 31;
    const high = words[i + 1]! ^ (sign | 0x80000000);
    const slot = slots[high >>> 10]!;
    if (slot === 0) continue;
    const low = words[i]! ^ sign;
    counts[slot - 1]![((high & 0x3ff) << 11) | (low >>> 21)]!++;
  }
}

function countThird(
  words: Uint32Array,
  slots: Uint8Array,
  prefixes: readonly (readonly number[])[],
  counts: readonly Uint32Array[],
): void {
  const firsts = Int32Array.from(prefixes, ([first]) => first!);
  const seconds = Int32Array.from(prefixes, ([, second]) => second!);
  for (let i = 0; i < words.length; i += 2) {
    const sign = words[i + 1]! >> 31;
    const high = words[i + 1]! ^ (sign | 0x80000000);
    const first = high >>> 10;
    if (slots[first] === 0) continue;
    const low = words[i]! ^ sign;
    const second = ((high & 0x3ff) << 11) | (low >>> 21);
    for (let at = 0; at < firsts.length; at++) {
      if (firsts[at] !== first || seconds[at] !== second) continue;
      counts[at]![low & 0x1fffff]!++;
      break;
    }
  }
}
