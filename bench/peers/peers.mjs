/** The list of our backends and their peers. Each is a program that follows the protocol in README.md. */
import { fileURLToPath } from 'node:url';

const python = process.env.PYTHON || 'python3';
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const byNode = (file, ...options) => [process.execPath, here(file), ...options];
const byPython = (file, ...options) => [python, here(file), ...options];

/**
 * name: for --only
 * command: the program and its arguments; `JOB` is replaced by the job file
 * threads: 'one' or 'all' of the CPU
 * against: our backend that its speed is compared with
 * like: plays as many episodes as this backend of ours, because measuring the peer itself needs a long compilation
 * once: all repetitions in one call instead of one call per turn
 */
export const peers = [
  { name: 'cpu', title: 'our cpu backend, one thread', command: byNode('ours.mjs', 'JOB', '--backend', 'cpu') },
  {
    name: 'cpu-all',
    title: 'our cpu backend, all threads',
    command: byNode('ours.mjs', 'JOB', '--backend', 'cpu'),
    threads: 'all',
  },
  { name: 'wasm', title: 'our wasm backend, one thread', command: byNode('ours.mjs', 'JOB', '--backend', 'wasm') },
  {
    name: 'wasm-all',
    title: 'our wasm backend, all threads',
    command: byNode('ours.mjs', 'JOB', '--backend', 'wasm'),
    threads: 'all',
  },
  {
    name: 'webgpu',
    title: 'our webgpu backend',
    command: byNode('ours.mjs', 'JOB', '--backend', 'webgpu'),
    threads: 'all',
  },
  { name: 'bare', title: 'JavaScript loop by hand', command: byNode('bare.mjs', 'JOB'), against: 'wasm' },
  { name: 'c', title: 'C loop, one thread', command: byPython('cartpole_c.py', 'JOB'), against: 'wasm' },
  {
    name: 'c-all',
    title: 'C loop, all threads',
    command: byPython('cartpole_c.py', 'JOB'),
    threads: 'all',
    against: 'wasm-all',
  },
  { name: 'numpy', title: 'NumPy, one thread', command: byPython('cartpole_numpy.py', 'JOB'), against: 'wasm' },
  ...['plain', 'tight'].map((style) => ({
    name: `jax-numpy-${style}`,
    title: `jax.numpy, ${style}, one thread`,
    command: byPython('jax_numpy.py', 'JOB', style),
    against: 'wasm',
    like: 'wasm',
    once: true,
  })),
  {
    name: 'gymnax',
    title: 'gymnax, one thread',
    command: byPython('gymnax_rollout.py', 'JOB'),
    against: 'wasm',
    like: 'wasm',
    once: true,
  },
  {
    name: 'gymnasium',
    title: 'Gymnasium, one thread',
    command: byPython('gymnasium_rollout.py', 'JOB'),
    against: 'wasm',
    once: true,
  },
  { name: 'mujoco', title: 'MuJoCo in C, one thread', command: byPython('mujoco_rollout.py', 'JOB'), against: 'wasm' },
  {
    name: 'mujoco-all',
    title: 'MuJoCo in C, all threads',
    command: byPython('mujoco_rollout.py', 'JOB'),
    threads: 'all',
    against: 'wasm-all',
  },
  ...['idiomatic', 'tuned'].map((style) => ({
    name: `jax-${style}`,
    title: `JAX, ${style}`,
    command: byPython('jax_rollout.py', 'JOB', '--style', style),
    threads: 'all',
    against: 'webgpu',
    like: 'webgpu',
    once: true,
  })),
  {
    name: 'cuda',
    title: 'CUDA C++',
    command: byNode('cuda/run.mjs', 'JOB'),
    threads: 'all',
    against: 'webgpu',
    like: 'webgpu',
    once: true,
  },
].map((peer) => ({ threads: 'one', against: null, like: null, once: false, ...peer }));

export const isOurs = ({ against }) => against === null;
export { python };
