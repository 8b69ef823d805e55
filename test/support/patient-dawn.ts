/**
 * While work of a GPU is pending, Dawn asks for its end by one `setImmediate` after another, which keeps a core busy. Where
 * the GPU is a software adapter, that core is one of those that do the work: here Dawn asks once in a millisecond, after it
 * has asked without pause for as long as a short call takes.
 */
const { setImmediate } = globalThis;
/** ms */
const shortCall = 2;
/** since when Dawn asks, on the clock of `performance` */
let since = 0;
let isAsking = false;

const isDawn = (callback: unknown, args: readonly unknown[]): callback is () => void =>
  typeof callback === 'function' &&
  args.length === 0 &&
  callback.name === '' &&
  `${callback}`.includes('[native code]');

const patient = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
  if (!isDawn(callback, args)) return setImmediate(callback, ...args);
  const now = performance.now();
  // Dawn goes on asking out of the answer to the question before.
  if (!isAsking) since = now;
  const ask = () => {
    isAsking = true;
    callback();
    isAsking = false;
  };
  return now - since < shortCall ? setImmediate(ask) : setTimeout(ask, 1);
};

globalThis.setImmediate = Object.assign(patient, setImmediate) as unknown as typeof setImmediate;
