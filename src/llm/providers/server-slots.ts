/**
 * Assigns each run and purpose a slot of a llama.cpp server, so that search and critic do not evict each other's cached
 * prompt.
 */

/** A key that is idle for this long loses its slot to another key, ms. */
const idleTime = 120_000;

interface Holder {
  readonly key: string;
  usedAt: number;
}

const holders = new Map<string, Holder[]>();

/**
 * The slot of `key` at `server`, for the whole process; null: the server chooses, because there are more keys than
 * slots. `now`: monotonic clock, ms.
 */
export function slotOf(server: string, key: string, slots: number, now: number): number | null {
  if (slots < 2) return null;
  const users = holders.get(server) ?? [];
  holders.set(server, users);
  const known = users.findIndex((holder, slot) => holder.key === key && slot < slots);
  if (known >= 0) {
    users[known]!.usedAt = now;
    return known;
  }
  if (users.length < slots) return users.push({ key, usedAt: now }) - 1;
  const oldest = users
    .slice(0, slots)
    .reduce((first, { usedAt }, slot) => (usedAt < users[first]!.usedAt ? slot : first), 0);
  if (now - users[oldest]!.usedAt < idleTime) return null;
  users[oldest] = { key, usedAt: now };
  return oldest;
}
