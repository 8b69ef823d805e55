/**
 * TensorBoard event file: a sequence of TFRecords, each an `Event` message of tensorflow/core/util/event.proto.
 * Only what scalars need is encoded.
 */
import { appendText, replaceFileAsync } from '../../base/node/atomic-file.ts';
import { inertLine } from '../../base/printable.ts';

export interface ScalarStep {
  readonly step: number;
  /** s since 1970 */
  readonly wallTime: number;
  /** value by tag; null values are left out */
  readonly values: Readonly<Record<string, number | null>>;
}

/** Castagnoli's polynomial, bits reversed. */
const polynomial = 0x82f63b78;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32C of RFC 3720, section B.4. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** TFRecord stores checksums rotated and shifted, because a checksum of data with checksums inside is weak. */
export function maskedCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** length (u64), its checksum, the data, its checksum; all little-endian */
function frame(data: Buffer): Buffer {
  const out = Buffer.alloc(16 + data.length);
  out.writeBigUInt64LE(BigInt(data.length), 0);
  out.writeUInt32LE(maskedCrc(crc32c(out.subarray(0, 8))), 8);
  data.copy(out, 12);
  out.writeUInt32LE(maskedCrc(crc32c(data)), 12 + data.length);
  return out;
}

/** `value`: a whole number from 0 on */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  // No shift: a number of more than 31 bits would lose its upper ones.
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Protocol-buffer fields; the number after `<< 3 |` is the wire type. */
const field = {
  varint: (id: number, value: number) => Buffer.concat([varint((id << 3) | 0), varint(value)]),
  double: (id: number, value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return Buffer.concat([varint((id << 3) | 1), bytes]);
  },
  float: (id: number, value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return Buffer.concat([varint((id << 3) | 5), bytes]);
  },
  bytes: (id: number, value: Buffer) => Buffer.concat([varint((id << 3) | 2), varint(value.length), value]),
};

// Event: 1 wall_time, 2 step, 3 file_version, 5 summary. Summary: 1 value. Value: 1 tag, 2 simple_value.

function versionRecord(wallTime: number): Buffer {
  return frame(Buffer.concat([field.double(1, wallTime), field.bytes(3, Buffer.from('brain.Event:2'))]));
}

/** A `Value` as a field of a summary, up to the four bytes of its number; the same for every step with this tag. */
function valueStart(tag: string): Buffer {
  const name = field.bytes(1, Buffer.from(inertLine(tag)));
  const numberKey = varint((2 << 3) | 5);
  const length = name.length + numberKey.length + 4;
  return Buffer.concat([varint((1 << 3) | 2), varint(length), name, numberKey]);
}

/** `starts`: of the tags that were written before. A record has a row for each iteration, and every row the same tags. */
function scalarRecord({ step, wallTime, values }: ScalarStep, starts: Map<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  for (const [tag, value] of Object.entries(values)) {
    if (value === null) continue;
    const start = starts.get(tag) ?? valueStart(tag);
    starts.set(tag, start);
    const number = Buffer.allocUnsafe(4);
    number.writeFloatLE(value);
    parts.push(start, number);
  }
  return frame(Buffer.concat([field.double(1, wallTime), field.varint(2, step), field.bytes(5, Buffer.concat(parts))]));
}

function scalarRecords(steps: readonly ScalarStep[]): Buffer[] {
  const starts = new Map<string, Buffer>();
  return steps.map((step) => scalarRecord(step, starts));
}

/** The whole content of an event file that started at `startTime`, s since 1970. */
export function encodeScalars(startTime: number, steps: readonly ScalarStep[]): Buffer {
  return Buffer.concat([versionRecord(startTime), ...scalarRecords(steps)]);
}

/**
 * An event file that a running TensorBoard can follow: rewritten when a session starts, which drops the torn
 * end that a killed process left, and appended to afterwards.
 */
export class ScalarFile {
  private readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(path: string, startTime: number, steps: readonly ScalarStep[]): Promise<ScalarFile> {
    await replaceFileAsync(path, encodeScalars(startTime, steps), 'rebuildable');
    return new ScalarFile(path);
  }

  async append(steps: readonly ScalarStep[]): Promise<void> {
    await appendText(this.path, Buffer.concat(scalarRecords(steps)));
  }
}
