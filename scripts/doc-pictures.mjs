/**
 * The charts of the README and of docs/report.md. After `npm run build`: `node scripts/doc-pictures.mjs`. The runs are made
 * with the offline model in a folder that is removed. The other pictures: scripts/view-pictures.mjs (the page of `r2po view`)
 * and docs/images/gallery/make.sh (episodes).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs/images');
const folder = mkdtempSync(join(tmpdir(), 'r2po-pictures-'));

function r2po(...args) {
  execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args, '--quiet'], {
    cwd: folder,
    stdio: 'ignore',
  });
}

try {
  r2po('run', 'cartpole/r2po', '--backend', 'cpu', '--name', 'one', '--runs-dir', 'one');
  copyFileSync(join(folder, 'one/one/reward.svg'), join(images, 'cartpole-r2po.svg'));
  const configs = ['cartpole', 'frozenlake'].flatMap((env) =>
    ['r2po', 'props-plus', 'reptraj'].map((id) => `${env}/${id}`),
  );
  r2po('sweep', ...configs, 'iterations=20', 'seed=1..5', '--backend', 'cpu');
  r2po('report', 'runs', '--out', 'report', '--value', 'best', '--curves', 'episodes');
  copyFileSync(join(folder, 'report/curves-episodes.svg'), join(images, 'report-curves.svg'));
} finally {
  rmSync(folder, { recursive: true });
}
