/** The beginning of a long text. */

/** Characters that are shown at once; the place of a cut is moved to the end of its line where that is near. */
const shown = 4000;

export function cutText(text: string, limit = shown): string {
  if (text.length <= limit * 1.25) return text;
  const end = text.lastIndexOf('\n', limit);
  const cut = end > limit / 2 ? end : limit;
  // A pair of surrogates is one character.
  const splits = /[\uD800-\uDBFF]/.test(text.charAt(cut - 1));
  return text.slice(0, splits ? cut - 1 : cut);
}
