/** Many short lists of numbers in little room: 8 bytes a number, and 16 a list. */

/** numbers of a block; a longer list has one of its own */
const blockLength = 8192;

/** Lists of numbers that are only added to. A list comes back as it was given, with NaN and -0. */
export class NumberLists {
  readonly #blocks: Float64Array[] = [];
  /** numbers in the last block */
  #used = blockLength;
  /** of each list: its block times the length of one, and its place there */
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];

  get length(): number {
    return this.#starts.length;
  }

  /** Returns the index of the list. */
  push(list: ArrayLike<number>): number {
    const { length } = list;
    if (this.#used + Math.max(1, length) > blockLength) {
      this.#blocks.push(new Float64Array(Math.max(blockLength, length)));
      this.#used = 0;
    }
    this.#blocks.at(-1)!.set(list, this.#used);
    this.#starts.push((this.#blocks.length - 1) * blockLength + this.#used);
    this.#used += length;
    return this.#lengths.push(length) - 1;
  }

  /** One number of a list. */
  at(index: number, place: number): number {
    const at = this.#starts[index]! % blockLength;
    return this.#blocks[Math.floor(this.#starts[index]! / blockLength)]![at + place]!;
  }

  /** The numbers of a list: no copy, so they must not be changed. */
  view(index: number): Float64Array {
    const start = this.#starts[index]!;
    const place = start % blockLength;
    return this.#blocks[Math.floor(start / blockLength)]!.subarray(place, place + this.#lengths[index]!);
  }
}
