/** The first lines of a record, which another one begins with, byte for byte: its digests stay those of the first. */
import { closeSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { reopenReplaced } from '../../base/node/atomic-file.ts';
import type { EventBody, RunEvent } from './events.ts';
import { copyStart, eventsName, RecordFile } from './journal.ts';
import type { RecordEnd } from './record.ts';

export interface RecordStart {
  readonly events: readonly RunEvent[];
  readonly end: RecordEnd;
  /** Makes the line behind the start. Returns what writes both into a new file, for any number of files. */
  goOn(body: EventBody, time: string): (path: string) => void;
}

/** The lines of a record up to the first event that is the last one wanted; null: there is none. Throws a usage error for a damaged line. */
export function readStart(folder: string, isLast: (event: RunEvent) => boolean): RecordStart | null {
  const record = new RecordFile(folder);
  const { lines } = record;
  const events: RunEvent[] = [];
  for (const event of record.walk((bytes, value) => lines.read(bytes, value))) {
    if (event !== null) events.push(event);
    if (event === null || !isLast(event)) continue;
    const { bytes } = record;
    const copy = copyStart(join(folder, eventsName), bytes);
    return {
      events,
      end: lines.end,
      goOn(body, time) {
        const { line } = lines.make(body, time);
        return (path) => {
          const write = (fd: number): void => {
            copy(fd);
            for (let at = 0; at < line.length; ) at += writeSync(fd, line, at);
          };
          closeSync(reopenReplaced(path, write, 'durable'));
        };
      },
    };
  }
  return null;
}
