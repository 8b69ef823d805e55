/** Following a journal: what a live page or a progress reader sees of a run in another process. */
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { followEvents, readEvents } from '../../src/runs/journal/journal.ts';
import { temporaryFolder } from '../support/experiment.ts';

const source = join('test', 'cases', 'finished-run');
const whole = readFileSync(join(source, 'events.jsonl'));
const { events } = readEvents(source);
const seqs = (read: readonly { readonly seq: number }[]) => read.map(({ seq }) => seq);

describe('followEvents', () => {
  it('gives each event once, for reads at any byte', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'events.jsonl');
    const follower = followEvents(folder);
    expect(follower.read()).toEqual([]);
    const found = [];
    writeFileSync(path, '');
    for (let start = 0; start < whole.length; start += 997) {
      appendFileSync(path, whole.subarray(start, start + 997));
      found.push(...follower.read());
    }
    expect(found).toEqual(events);
    expect(follower.read()).toEqual([]);
  });

  it('begins with the requested event', () => {
    expect(seqs(followEvents(source, 4).read())).toEqual(seqs(events.slice(4)));
    expect(followEvents(source, events.length).read()).toEqual([]);
  });

  it('reads the line with which a resumed run replaces a torn one', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'events.jsonl');
    const second = whole.indexOf(0x0a) + 1;
    writeFileSync(path, Buffer.concat([whole.subarray(0, second), Buffer.from('{"torn": tr')]));
    const follower = followEvents(folder);
    expect(seqs(follower.read())).toEqual([0]);
    truncateSync(path, second);
    appendFileSync(path, whole.subarray(second));
    expect(seqs(follower.read())).toEqual(seqs(events.slice(1)));
  });

  it('refuses a damaged line with its number in the file', () => {
    const folder = temporaryFolder();
    const lines = whole.toString().split('\n');
    const path = join(folder, 'events.jsonl');
    writeFileSync(path, `${lines[0]}\n${lines[1]}\n`);
    const follower = followEvents(folder);
    follower.read();
    appendFileSync(path, `${lines[1]}\n${lines[2]}\n`);
    expect(() => follower.read()).toThrow(/events\.jsonl:3: expected an event, got seq 1 instead of 2/);
  });
});
