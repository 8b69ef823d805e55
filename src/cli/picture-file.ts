/** A picture in a file whose ending says its format. */
import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { UsageError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { cannotWriteFile } from '../base/machine-fault.ts';
import type { Io } from './io.ts';

const endings = ['.svg', '.png', '.json'];

export const pictureFormats = '.svg, .png, or .json for Vega-Lite';

/** Throws a usage error for a name with another ending. */
export function checkPicture(path: string | undefined): void {
  if (path === undefined || endings.includes(extname(path).toLowerCase())) return;
  throw new UsageError(
    '--picture',
    `expected a name that ends in .svg, .png or .json (Vega-Lite), got "${path}"; choose one of these`,
  );
}

export async function writePicture(path: string, planned: object, io: Io): Promise<void> {
  const { inertSpec, renderChart } = await import('../report/curves/svg.ts');
  const spec = inertSpec(planned);
  const ending = extname(path).toLowerCase();
  const draw = async (): Promise<string | Uint8Array> => {
    if (ending === '.json') return jsonText(spec);
    const svg = await renderChart(spec);
    return ending === '.svg' ? svg : (await import('../report/curves/png.ts')).renderPng(svg);
  };
  writeResult('--picture', path, await draw(), io);
}

/** Writes a file that an option names. */
export function writeResult(option: string, path: string, content: string | Uint8Array, io: Io): void {
  try {
    writeFileSync(path, content);
    io.note(`wrote ${path}`);
  } catch (cause) {
    throw cannotWriteFile(option, path, cause, 'name a file in a folder that exists');
  }
}
