#!/usr/bin/env node
/**
 * Breaks runs in every way that docs/reliability.md lists, and prints its table: class of fault, tries, survived, lost.
 *
 *     npm run torture -- --tries 20 --seed 1 --only kills
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as edits from './torture/edits.mjs';
import { fullDisk, killAtWrite, randomKill, unbroken } from './torture/kills.mjs';
import { randomOf } from './torture/program.mjs';
import { hasRedis, killedWorker, stopRedis } from './torture/queue.mjs';

const { values } = parseArgs({
  options: {
    tries: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
  },
});

const classes = [
  { id: 'kills', title: 'killed at random moments, and again while it resumes', attempt: randomKill },
  { id: 'writes', title: 'killed at a change of the file system, each kind in turn', attempt: killAtWrite },
  { id: 'full-disk', title: 'disk full from a random write on', attempt: fullDisk },
  { id: 'cut', title: 'record cut behind a random byte', attempt: edits.cutRecord },
  { id: 'edited', title: 'a character of the record edited', attempt: edits.editedRecord },
  { id: 'reordered', title: 'two lines of the record reordered', attempt: edits.reorderedRecord },
  { id: 'summary', title: 'a number of summary.json edited', attempt: edits.editedSummary },
  { id: 'links', title: 'a file of the run is a link that leads out', attempt: edits.symlinks },
  { id: 'damaged', title: 'a damaged run folder beside a good one', attempt: edits.damagedFolder },
  { id: 'texts', title: 'hostile texts in the files of a run', attempt: edits.hostileTexts },
  { id: 'queue', title: 'a worker of a queue killed at random moments', attempt: killedWorker, isPossible: hasRedis },
];

const unknown = (values.only ?? []).find((id) => !classes.some((one) => one.id === id));
if (unknown !== undefined) {
  console.error(`unknown class "${unknown}"; known: ${classes.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}
const tries = Number(values.tries);
if (!Number.isInteger(tries) || tries < 1) {
  console.error(`expected --tries with a whole number from 1 on, got "${values.tries}"`);
  process.exit(2);
}

const home = mkdtempSync(join(tmpdir(), 'r2po-torture-'));
let lostInAll = 0;
try {
  const whole = await unbroken(home);
  console.log('| class | fault | tries | survived | lost |\n|---|---|---|---|---|');
  for (const { id, title, attempt, isPossible } of classes) {
    if (values.only && !values.only.includes(id)) continue;
    if (isPossible && !isPossible()) {
      console.error(`${id}: left out, there is no redis-server`);
      continue;
    }
    // Each class has numbers of its own, so that one of them alone makes the same tries.
    const random = randomOf(Number(values.seed) * 1000 + classes.findIndex((one) => one.id === id));
    let lost = 0;
    for (let index = 0; index < tries; index++) {
      const problem = await attempt({ home, whole, random, index });
      if (problem === null) continue;
      lost += 1;
      console.error(`${id}, try ${index}: ${problem}`);
    }
    lostInAll += lost;
    console.log(`| ${id} | ${title} | ${tries} | ${tries - lost} | ${lost} |`);
  }
} finally {
  stopRedis();
  rmSync(home, { recursive: true, force: true });
}
process.exitCode = lostInAll > 0 ? 1 : 0;
