// An environment of one's own: keep a room at 20 degrees. Check it: r2po parity --env ./thermostat
import { defineEnv } from 'r2po-webgpu/env';

const source = 'made up for this example';
const room = { name: 'room', meaning: 'temperature of the room', unit: 'degC', low: -20, high: 60 };
const outside = { name: 'outside', meaning: 'temperature outside', unit: 'degC', low: -10, high: 10 };

export default defineEnv({
  id: 'Thermostat-v0',
  folder: 'thermostat', // thermostat.wgsl beside this file has the same dynamics for the GPU
  groundTruth: source,
  state: [room, outside],
  observation: { kind: 'vector', rows: [room, outside] },
  action: { kind: 'box', rows: [{ name: 'heat', meaning: 'power of the heater', unit: '1', low: 0, high: 1 }] },
  constants: {
    loss: { value: 0.1, unit: '1', source },
    power: { value: 4, unit: 'degC', source },
    wanted: { value: 20, unit: 'degC', source },
  },
  derive: () => ({}),
  exact: [],
  timeLimit: 50,
  success: { threshold: -150, source: 'within 3 degrees on average' },
  returnRange: [-2000, 0],
  parity: { singleStep: 1e-6, reason: 'a few roundings to f32' },
  dynamics: {
    reset: (_p, rng, state) => state.set([15, Math.floor(rng.random() * 20) - 10]),
    observe: (_p, state, observation) => observation.set([Math.fround(state[0]), Math.fround(state[1])]),
    step: (p, state, action, _rng, out) => {
      const heat = Math.min(Math.max(action[0], 0), 1);
      state[0] += p.power * heat - p.loss * (state[0] - state[1]);
      out.reward = -Math.abs(state[0] - p.wanted);
      out.terminated = false;
    },
  },
});
