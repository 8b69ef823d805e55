/** The record of a run: what is on disk after each append, and what a damaged file is taken for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InterruptedError, UsageError } from '../../src/base/errors.ts';
import { bytesDigest } from '../../src/llm/text-digest.ts';
import type { EventBody } from '../../src/runs/journal/events.ts';
import { Journal, readEvents } from '../../src/runs/journal/journal.ts';
import { BusyError, LostLockError, lockFolder, lockName, watchLock } from '../../src/runs/journal/lock.ts';
import { temporaryFolder } from '../support/experiment.ts';

const bodies: readonly EventBody[] = [
  {
    type: 'run_started',
    resumed: false,
    config_hash: 'abc',
    backend: 'cpu',
    adapter: null,
    model: 'offline',
    model_kind: 'offline',
  },
  { type: 'warmup', index: 0, params: [0.1, -2], seed: 2 ** 51 + 1, return: 9, length: 9, end: 'terminated' },
  { type: 'parse_failed', iteration: 1, purpose: 'critic', attempt: 2, problem: 'ü: two numbers — "☃" 𝕊' },
  { type: 'run_stopped', reason: 'no\nnews', exit_code: 4 },
];

/** A folder whose record holds `bodies`. */
async function recorded(): Promise<{ readonly folder: string; readonly path: string; readonly bytes: Buffer }> {
  const folder = temporaryFolder();
  const journal = Journal.open(folder, () => 1_700_000_000_000);
  for (const body of bodies) await journal.append(body);
  journal.close();
  const path = join(folder, 'events.jsonl');
  return { folder, path, bytes: readFileSync(path) };
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('expected a usage error');
}

describe('journal', () => {
  it('has each event on disk as one line before append returns', async () => {
    const folder = temporaryFolder();
    const times = [1_700_000_000_000, 1_700_000_000_001, 1_700_000_060_000, 1_700_000_060_500];
    let call = 0;
    const journal = Journal.open(folder, () => times[call++]!);
    for (const [i, body] of bodies.entries()) {
      const event = await journal.append(body);
      expect(event).toEqual({ ...body, time: new Date(times[i]!).toISOString(), seq: i });
      const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
      expect(lines).toHaveLength(i + 2);
      const { journal: format, prev, ...line } = JSON.parse(lines[i]!);
      expect(line).toEqual(event);
      expect(format).toBe(i === 0 ? 2 : undefined);
      expect(prev).toBe(i === 0 ? undefined : bytesDigest(Buffer.from(lines[i - 1]!)));
      expect(lines[i + 1]).toBe('');
    }
    journal.close();
    expect(readEvents(folder).events.map(({ time: _time, seq: _seq, ...body }) => body)).toEqual(bodies);
    await expect(journal.append(bodies[0]!)).rejects.toThrow('closed');
  });

  it('returns what a reader will see: -0 is 0, an outcome that is not finite is NaN', async () => {
    const folder = temporaryFolder();
    const journal = Journal.open(folder);
    const event = await journal.append({ ...bodies[1], params: [-0], return: Number.POSITIVE_INFINITY } as EventBody);
    journal.close();
    expect(event).toMatchObject({ params: [0], return: Number.NaN });
    expect(readEvents(folder).events).toEqual([event]);
  });

  it('refuses to write what it could not read back', async () => {
    const folder = temporaryFolder();
    const journal = Journal.open(folder);
    await expect(journal.append({ ...bodies[1], params: [Number.NaN] } as EventBody)).rejects.toThrow('"params.0"');
    await expect(journal.append({ ...bodies[1], length: 1.5 } as EventBody)).rejects.toThrow('"length"');
    await journal.append(bodies[0]!);
    journal.close();
    expect(readEvents(folder).events).toHaveLength(1);
  });

  it('drops a torn last line, cut at any byte, and continues after the last whole one', async () => {
    const { folder, path, bytes } = await recorded();
    const ends = [...bytes.keys()].filter((i) => bytes[i] === 0x0a).map((i) => i + 1);
    for (let cut = 0; cut <= bytes.length; cut++) {
      writeFileSync(path, bytes.subarray(0, cut));
      const whole = ends.filter((end) => end <= cut).length;
      const log = readEvents(folder);
      expect(log.events).toHaveLength(whole);
      const isTorn = cut > 0 && !ends.includes(cut);
      if (isTorn) expect(log.torn).toContain(`events.jsonl:${whole + 1}: dropped a torn last line`);
      else expect(log.torn).toBeNull();
      if (cut % 41 !== 0) continue;
      const journal = Journal.open(folder, () => 1_700_000_000_000);
      for (const body of bodies.slice(whole)) await journal.append(body);
      journal.close();
      expect(readFileSync(path)).toEqual(bytes);
    }
  });

  it('drops a last line that is not JSON, and one that a power cut filled with zeros', async () => {
    const { folder, path, bytes } = await recorded();
    for (const tail of ['{"type":"warm\n', '\u0000'.repeat(40), 'x\n']) {
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(tail)]));
      const log = readEvents(folder);
      expect(log.events).toHaveLength(4);
      expect(log.bytes).toBe(bytes.length);
      expect(log.torn).toContain(`(${tail.length} bytes)`);
      // The next line is shorter than what was torn, and must not leave a rest of it behind.
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(tail.repeat(20).replaceAll('\n', ' '))]));
      const journal = Journal.open(folder);
      const event = await journal.append({ type: 'run_finished' });
      journal.close();
      expect(readEvents(folder)).toMatchObject({ torn: null, events: { length: 5, 4: event } });
    }
  });

  it('names file and line of an earlier line that is damaged', async () => {
    const { folder, path, bytes } = await recorded();
    const lines = bytes.toString().trimEnd().split('\n');
    const withLine = (index: number, line: string) => {
      writeFileSync(path, `${lines.map((old, i) => (i === index ? line : old)).join('\n')}\n`);
      return messageOf(() => readEvents(folder));
    };
    expect(withLine(1, lines[1]!.slice(0, 20))).toMatch(/events\.jsonl:2: expected an event, got no JSON/);
    expect(withLine(1, '')).toContain('events.jsonl:2');
    expect(withLine(2, lines[2]!.replace('parse_failed', 'parse_fialed'))).toMatch(/events\.jsonl:3.*"type"/);
    expect(withLine(1, lines[1]!.replace('"length":9', '"length":"9"'))).toMatch(/events\.jsonl:2.*"length"/);
    expect(withLine(1, lines[1]!.replace('"length":9', '"length":9,"lenght":9'))).toMatch(/events\.jsonl:2.*lenght/);
    expect(withLine(0, '[1]')).toContain('events.jsonl:1');
    // A whole line that is no event is no torn one, at the end as well.
    expect(withLine(3, '{"type":"run_stopped"}')).toContain('events.jsonl:4');
  });

  it('names the line where seq jumps or repeats', async () => {
    const { folder, path, bytes } = await recorded();
    const lines = bytes.toString().split('\n');
    writeFileSync(path, [lines[0], lines[2], lines[3], ''].join('\n'));
    expect(messageOf(() => readEvents(folder))).toMatch(/events\.jsonl:2: .*seq 2 instead of 1/);
    writeFileSync(path, [lines[0], lines[0], ''].join('\n'));
    expect(messageOf(() => readEvents(folder))).toMatch(/events\.jsonl:2: .*seq 0 instead of 1/);
  });

  it('reads any damaged bytes as events or refuses them as a usage error', async () => {
    const { folder, path, bytes } = await recorded();
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at] = byte;
        writeFileSync(path, copy);
        try {
          expect(readEvents(folder).events.length).toBeLessThanOrEqual(bodies.length + changes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('treats a missing file as an empty record and refuses one that cannot be read or written', () => {
    const folder = temporaryFolder();
    expect(readEvents(folder)).toMatchObject({ events: [], bytes: 0, torn: null });
    mkdirSync(join(folder, 'events.jsonl'));
    expect(messageOf(() => readEvents(folder))).toContain('cannot read');
    expect(messageOf(() => Journal.open(join(folder, 'none')))).toContain('can be written to');
  });
});

describe('lock', () => {
  const owner = (pid: number, fields: object = {}) => JSON.stringify({ pid, birth: null, host: hostname(), ...fields });

  it('allows one journal at a time in a folder', () => {
    const folder = temporaryFolder();
    const first = Journal.open(folder);
    expect(messageOf(() => Journal.open(folder))).toContain(`got process ${process.pid} on ${hostname()}`);
    first.close();
    expect(existsSync(join(folder, lockName))).toBe(false);
    Journal.open(folder).close();
  });

  it('stays where it is when the record turns out to be damaged', async () => {
    const { folder, path } = await recorded();
    writeFileSync(path, '[]\n[]\n');
    expect(messageOf(() => Journal.open(folder))).toContain('events.jsonl:1');
    expect(existsSync(join(folder, lockName))).toBe(false);
  });

  it('takes over from a process that is gone, and from an earlier one with the same pid', () => {
    const folder = temporaryFolder();
    // Linux gives out pids below 2^22.
    for (const text of [owner(2 ** 30), owner(process.pid), owner(process.pid, { birth: '1' })]) {
      writeFileSync(join(folder, lockName), text);
      lockFolder(folder).release();
    }
    expect(existsSync(join(folder, lockName))).toBe(false);
  });

  it('is one lock under every path of its folder', () => {
    const folder = temporaryFolder();
    const link = join(temporaryFolder(), 'link');
    symlinkSync(folder, link);
    const lock = lockFolder(relative(process.cwd(), folder));
    for (const path of [folder, link, join(folder, '..', basename(folder))]) {
      expect(() => lockFolder(path)).toThrow(BusyError);
    }
    lock.check();
    lock.release();
    lockFolder(link).release();
  });

  it('respects a living process, another machine, and what it cannot read', () => {
    const folder = temporaryFolder();
    const path = join(folder, lockName);
    for (const [text, named] of [
      [owner(process.ppid), `process ${process.ppid}`],
      [owner(2 ** 30, { host: 'elsewhere' }), 'on elsewhere'],
      ['', 'an unreadable lock'],
      ['{"pid":"7"}', 'an unreadable lock'],
    ]) {
      writeFileSync(path, text!);
      const message = messageOf(() => lockFolder(folder));
      expect(message).toContain(named);
      expect(message).toContain(`delete "${path}"`);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    rmSync(path);
    // A link that leads nowhere is there, though it cannot be opened.
    symlinkSync(join(folder, 'nowhere'), path);
    expect(messageOf(() => lockFolder(folder))).toContain('an unreadable lock');
    lockFolder(folder, { stale: '' }).release();
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
    lockFolder(folder).release();
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'of a process that has ended and is not cleared away is taken over',
    async () => {
      const folder = temporaryFolder();
      // A child of a shell that has become another program, which never asks for its exit code.
      const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30']);
      const [said] = await once(parent.stdout, 'data');
      const pid = Number(said);
      const stateOf = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0];
      while (stateOf() !== 'Z') await sleep(5);
      writeFileSync(join(folder, lockName), owner(pid, { birth: null }));
      lockFolder(folder).release();
      parent.kill();
      expect(existsSync(join(folder, lockName))).toBe(false);
    },
  );

  it('of another machine is taken over when it gives no sign of life, with any clock', async () => {
    const folder = temporaryFolder();
    const path = join(folder, lockName);
    for (const text of [
      owner(process.pid, { host: 'elsewhere', token: 'x', period: 20, beat: '0000000009' }),
      // Another container of a machine with this name: its numbers of processes mean nothing here.
      owner(process.pid, { place: 'another boot', token: 'x', period: 20, beat: '0000000009' }),
    ]) {
      writeFileSync(path, text);
      utimesSync(path, new Date('2099-01-01'), new Date('2099-01-01'));
      const notices: string[] = [];
      const stale = await watchLock(folder, { onNotice: (notice) => notices.push(notice) });
      expect(stale).toBe(text);
      expect(notices[0]).toContain('waiting up to 0.06 s for a sign of life');
      expect(() => lockFolder(folder)).toThrow(BusyError);
      lockFolder(folder, { stale }).release();
      expect(existsSync(path)).toBe(false);
    }
  });

  it('of another machine is respected while it beats, and when its owner never beats', async () => {
    const folder = temporaryFolder();
    const path = join(folder, lockName);
    const lock = lockFolder(folder, { period: 15 });
    const own = JSON.parse(readFileSync(path, 'utf8')) as object;
    // The same file as another machine would see it.
    const elsewhere = join(temporaryFolder(), lockName);
    let beats = 0;
    const copy = setInterval(() => {
      const text = readFileSync(path, 'utf8');
      writeFileSync(elsewhere, JSON.stringify({ ...(JSON.parse(text) as object), host: 'elsewhere' }));
      beats += 1;
    }, 3);
    writeFileSync(elsewhere, JSON.stringify({ ...own, host: 'elsewhere' }));
    expect(await watchLock(dirname(elsewhere))).toBeNull();
    clearInterval(copy);
    expect(beats).toBeGreaterThan(0);
    lock.release();
    writeFileSync(path, owner(7, { host: 'elsewhere' }));
    expect(await watchLock(folder)).toBeNull();
  });

  it('that was lost stops its journal before the next event, and leaves the other one alone', async () => {
    const folder = temporaryFolder();
    const asleep = Journal.open(folder, Date.now, { period: 60_000 });
    await asleep.append(bodies[0]!);
    const stale = readFileSync(join(folder, lockName), 'utf8');
    const other = Journal.open(folder, Date.now, { stale, period: 60_000 });
    const written = await other.append(bodies[1]!);
    await expect(asleep.append(bodies[2]!)).rejects.toThrow(LostLockError);
    expect(() => asleep.check()).toThrow(LostLockError);
    expect(asleep.writable).toBe(false);
    asleep.close();
    expect(readEvents(folder).events).toMatchObject([bodies[0], written]);
    await other.append(bodies[2]!);
    other.close();
    expect(readEvents(folder).events).toHaveLength(3);
    expect(existsSync(join(folder, lockName))).toBe(false);
  });

  it('that is lost while an event is being written keeps it out of the record of the other one', async () => {
    const folder = temporaryFolder();
    const asleep = Journal.open(folder);
    const other: Journal[] = [];
    await asleep.append(bodies[0]!);
    const appending = asleep.append(bodies[1]!);
    // The check is over, the bytes are not there yet.
    other.push(Journal.open(folder, Date.now, { stale: readFileSync(join(folder, lockName), 'utf8') }));
    await appending;
    await other[0]!.append(bodies[2]!);
    asleep.close();
    other[0]!.close();
    const { events } = readEvents(folder);
    expect(events.at(-1)).toMatchObject(bodies[2]!);
    expect(events.map(({ seq }) => seq)).toEqual([...events.keys()]);
  });

  it('is looked at no longer once the user stops', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, lockName), owner(7, { host: 'elsewhere', token: 'x', period: 60_000 }));
    const controller = new AbortController();
    const reason = new InterruptedError('run', 'stopped by the test');
    setTimeout(() => controller.abort(reason), 5);
    await expect(watchLock(folder, { signal: controller.signal })).rejects.toBe(reason);
  });
});
