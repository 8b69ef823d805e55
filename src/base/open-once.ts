/** Things that are opened at most once at a time, by their keys. */

/** Opens what is not open yet; what could not be opened is tried again by whoever asks next. */
export function openOnce<K, T>(opened: Map<K, Promise<T>>, key: K, open: () => Promise<T>): Promise<T> {
  const known = opened.get(key);
  if (known) return known;
  const opening = open();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}
