/** Answers a shell that completes a word. */
import { existsSync, readFileSync } from 'node:fs';
import { assetPath } from '../../base/node/assets.ts';
import { type CompletionTable, suggest, suggestionText } from './suggest.ts';

/** Written by the build; a program that runs from its sources makes the table anew. */
const tablePath = 'dist/cli/completion.json';

export async function answerShell(words: readonly string[]): Promise<void> {
  const path = assetPath(tablePath);
  const table = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as CompletionTable)
    : await (await import('./table.ts')).completionTable();
  process.stdout.write(`${suggestionText(suggest(table, words))}\n`);
}
