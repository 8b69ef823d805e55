/**
 * Which slot of a llama.cpp server the prompts of one purpose of one run go to, so that search and critic do not evict
 * each other's prompt from the cache.
 */

/** A key that has not asked for so long gives its slot to another one, ms. */
const idleTime = 120_000;

interface Holder {
  readonly key: string;
  usedAt: number;
}

const holders = new Map<string, Holder[]>();

/**
 * The slot of `key` at `server`, for the whole process; null: the server chooses, because there are more keys than
 * slots. `now`: a clock that never goes back, ms.
 */
export function slotOf(server: string, key: string, slots: number, now: number): number | null {
  if (slots < 2) return null;
  const held = holders.get(server) ?? [];
  holders.set(server, held);
  const known = held.findIndex((holder, slot) => holder.key === key && slot < slots);
  if (known >= 0) {
    held[known].usedAt = now;
    return known;
  }
  if (held.length < slots) return held.push({ key, usedAt: now }) - 1;
  const oldest = held
    .slice(0, slots)
    .reduce((least, { usedAt }, slot) => (usedAt < held[least].usedAt ? slot : least), 0);
  if (now - held[oldest].usedAt < idleTime) return null;
  held[oldest] = { key, usedAt: now };
  return oldest;
}
