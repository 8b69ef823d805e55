/** Saves a state again and again, one writing after the other, while the work that changes it continues. */
export class Saver<T> {
  readonly #write: () => Promise<T>;
  /** the latest writing */
  #writing: Promise<unknown> = Promise.resolve();

  /** `write` starts to write the state of now; it is never called while another writing is under way. */
  constructor(write: () => Promise<T>) {
    this.#write = write;
  }

  /** Writes the state of now and waits for it. Throws what this or the writing before failed with. */
  async save(): Promise<T> {
    await this.#writing;
    const writing = this.#write();
    this.#writing = writing;
    return await writing;
  }

  /** Starts to write the state of now. Throws what the writing before failed with; the next call reports this one's. */
  async saveMeanwhile(): Promise<void> {
    await this.#writing;
    this.#writing = this.#write();
    this.#writing.catch(() => {});
  }

  /** Waits for the writing under way and forgets whether it failed. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => {});
    this.#writing = Promise.resolve();
  }
}
