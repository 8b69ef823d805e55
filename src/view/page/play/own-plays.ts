/** Episodes that play without anybody having asked for it: a page that is left alone comes to rest. */

/** Plays in a row that begin by themselves: of episodes that a live run brings, and of one that begins again. */
export const mostOwnPlays = 10;

export class OwnPlays {
  #count = 0;

  /** Somebody uses the page. */
  touch(): void {
    this.#count = 0;
  }

  /** Whether an episode may begin by itself, which counts. */
  take(): boolean {
    if (this.#count >= mostOwnPlays) return false;
    this.#count += 1;
    return true;
  }
}

/** Of this page. */
export const ownPlays = new OwnPlays();
if (typeof document !== 'undefined') {
  for (const name of ['pointerdown', 'keydown', 'wheel'] as const) {
    document.addEventListener(name, () => ownPlays.touch(), { capture: true, passive: true });
  }
}
