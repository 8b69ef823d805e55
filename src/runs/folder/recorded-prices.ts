/** The prices in the `config.yaml` of a run: those that the cost in its other files is counted by. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from 'yaml';
import { replaceFile } from '../../base/node/atomic-file.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import { isSection } from '../../config/layers.ts';
import { configName } from '../../config/recorded.ts';
import type { LlmConfig } from '../../config/schema.ts';
import { parseYaml } from '../../config/yaml-text.ts';

/**
 * Writes the prices of a resumed run that its folder does not have yet, and leaves the rest of the file as it is. Throws a
 * `UsageError` for a file that is no YAML, and the error of the file system.
 */
export function keepPrices(folder: string, prices: LlmConfig['prices']): void {
  if (Object.keys(prices).length === 0) return;
  const path = join(folder, configName);
  const text = readRegularText(path);
  const { value } = parseYaml('config', { name: path, text });
  const recorded = isSection(value) ? value.prices : undefined;
  if (isDeepStrictEqual({ ...(recorded ?? {}) }, { ...prices })) return;
  const document = parseDocument(text);
  document.set('prices', document.createNode(prices));
  replaceFile(path, document.toString(), 'durable');
}
