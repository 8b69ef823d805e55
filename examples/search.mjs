// A whole search from a program. Run it in a folder where r2po-webgpu is installed: node search.mjs
import { run } from 'r2po-webgpu';

const { folder, summary } = await run('cartpole/r2po', {
  runsDir: process.argv[2] ?? 'runs',
  name: 'example-search',
  backend: 'cpu',
  overrides: { iterations: 10, 'recheck.episodes': 1000, seed: 7 },
  onProgress: ({ event, totals }) => {
    if (event?.type === 'iteration')
      console.log(`iteration ${totals.rows.length}: best ${totals.best?.mean ?? 'none'}`);
  },
});
const { mean, ci95 } = summary.best.rechecked;
console.log(
  `${folder}: mean return ${mean.toFixed(1)}, 95 % interval ${ci95.map((end) => end.toFixed(1)).join(' ... ')}`,
);
