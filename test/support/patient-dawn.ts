/**
 * While work of a GPU is pending, Dawn asks for its end by one `setImmediate` after another, which keeps a core busy. Where
 * the GPU is a software adapter, that core is one of those that do the work: here Dawn asks once in a millisecond.
 */
const { setImmediate } = globalThis;
const isNative = (callback: unknown): boolean =>
  typeof callback === 'function' && callback.name === '' && `${callback}`.includes('[native code]');

const patient = (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
  isNative(callback) && args.length === 0 ? setTimeout(callback, 1) : setImmediate(callback, ...args);

globalThis.setImmediate = Object.assign(patient, setImmediate) as unknown as typeof setImmediate;
