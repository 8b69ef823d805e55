// An optimiser on a policy of one's own: CMA-ES finds the three numbers of a rule that beats every linear policy on
// Pendulum-v1, of which the best known has a mean return of -774. The episodes are those of Gymnasium, in float64.
import { findEnv, Generator, openOptimiser } from 'r2po-webgpu';

const { params, dynamics, timeLimit } = findEnv('Pendulum-v1');

/** Pumps energy while the pole hangs, and balances it near the top. */
function torque([cos, sin, speed], [pump, angle, damping]) {
  if (cos < 0.8) return pump * Math.sign(speed || 1);
  return -angle * sin - damping * speed;
}

function returnOf(candidate, seed) {
  const [state, seen, out] = [new Float64Array(2), new Float64Array(3), { reward: 0, terminated: false }];
  const rng = Generator.from(seed);
  dynamics.reset(params, rng, state);
  let total = 0;
  for (let step = 0; step < timeLimit; step++) {
    dynamics.observe(params, state, seen);
    dynamics.step(params, state, Float64Array.of(torque(seen, candidate)), rng, out);
    total += out.reward;
  }
  return total;
}

const mean = (candidate, from, episodes) =>
  Array.from({ length: episodes }, (_, i) => returnOf(candidate, from + i)).reduce((a, b) => a + b) / episodes;

const search = openOptimiser('cma-es', { dimension: 3, low: -20, high: 20, seed: 1 });
while (search.generations < 40)
  search.tell(search.ask().map((candidate) => mean(candidate, 100 * search.generations, 5)));
const centre = search.centre();
console.log('parameters', [...centre].map((value) => value.toFixed(2)).join(' '));
console.log('mean return of 200 fresh episodes', mean(centre, 1_000_000, 200).toFixed(0));
