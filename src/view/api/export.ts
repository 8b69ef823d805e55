/**
 * A static export: the page without a server. Its data are classic scripts, which a browser loads from disk as well; each
 * calls `r2po_data(KEY, VALUE)`, where the key is the path of the API, `/api/runs/cartpole-s0/calls/12`.
 */

/** What `index.html` has in an export in place of `servedMark`. */
export const exportedMark = '<meta name="r2po-data" content="scripts" />';
export const servedMark = '<meta name="r2po-data" content="server" />';

/** Calls of a run that share a script. */
const callsOfScript = 64;
const longestName = 120;

/** 52 bits of a text as hexadecimal digits (cyrb53), to tell apart names that were cut. */
function hashOf(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(16);
}

/**
 * The script that holds the value of a key, relative to `index.html`: `data/runs.js`. Several keys share one. Names have
 * no upper case, because some file systems do not tell it apart, and nothing that a URL would have to encode.
 */
export function exportScript(key: string): string {
  const call = /^(.*\/calls\/)(\d+)$/.exec(key);
  const shared = call ? `${call[1]}${Math.floor(Number(call[2]) / callsOfScript)}` : key;
  const name = shared
    .replace(/^\/api\//, '')
    .replace(/[^a-z0-9.-]/g, (c) => (c === '/' ? '_' : `~${c.codePointAt(0)!.toString(16)}`));
  return `data/${name.length <= longestName ? name : `${name.slice(0, longestName)}~${hashOf(shared)}`}.js`;
}
