/** What @sparticuz/chromium ships, unpacked once into the cache of this checkout; for Linux on x64 alone. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const require = createRequire(import.meta.url);

const packedFolder = (): string => join(dirname(require.resolve('@sparticuz/chromium')), '..', '..', 'bin');

/** Makes a folder whole or not at all, also where several processes do it at once. */
function makeOnce(folder: string, fill: (draft: string) => void): string {
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  fill(draft);
  if (existsSync(folder)) rmSync(draft, { recursive: true });
  else renameSync(draft, folder);
  return folder;
}

const cached = (name: string): string => join(process.cwd(), 'node_modules', '.cache', name);

/** True where the package can be used: it is built for one platform. */
const usable = process.platform === 'linux' && process.arch === 'x64';

const unpack = (name: string): Buffer => brotliDecompressSync(readFileSync(join(packedFolder(), name)));

function unpackTar(name: string, folder: string): void {
  const tar = join(folder, `${name}.tar`);
  writeFileSync(tar, unpack(`${name}.tar.br`));
  execFileSync('tar', ['xf', tar, '-C', folder]);
  rmSync(tar);
}

/** The folder with SwiftShader and a Vulkan loader; null where it cannot be used. */
export function shippedSwiftShader(): string | null {
  return usable ? makeOnce(cached('r2po-swiftshader'), (draft) => unpackTar('swiftshader', draft)) : null;
}

/** The folder with the browser, `chromium`, and in `lib` what a bare machine lacks; null where it cannot be used. */
export function shippedBrowser(): string | null {
  if (!usable) return null;
  return makeOnce(cached('r2po-chromium'), (draft) => {
    writeFileSync(join(draft, 'chromium'), unpack('chromium.br'), { mode: 0o755 });
    // It looks for its graphics libraries beside itself, also when it draws without them.
    for (const name of ['swiftshader', 'al2023']) unpackTar(name, draft);
  });
}
