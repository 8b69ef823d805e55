/** The event file is read back by a reader that shares nothing with the writer. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c, encodeScalars, ScalarFile } from '../../src/runs/folder/tensorboard.ts';

/** CRC-32C bit by bit, from its definition: no table, most significant bit first. */
function slowCrc32c(data: Uint8Array): number {
  const reflect = (value: number, bits: number) => {
    let out = 0;
    for (let i = 0; i < bits; i++) out |= ((value >>> i) & 1) << (bits - 1 - i);
    return out >>> 0;
  };
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= reflect(byte, 8) << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x1edc6f41 : crc << 1;
  }
  return (reflect(crc >>> 0, 32) ^ 0xffffffff) >>> 0;
}

interface Field {
  readonly id: number;
  readonly value: number | bigint | Uint8Array;
}

function readFields(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const fields: Field[] = [];
  while (at < bytes.length) {
    const key = Number(varint());
    const id = key >> 3;
    switch (key & 7) {
      case 0:
        fields.push({ id, value: varint() });
        break;
      case 1:
        fields.push({ id, value: view.getFloat64(at, true) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        fields.push({ id, value: bytes.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        fields.push({ id, value: view.getFloat32(at, true) });
        at += 4;
        break;
      default:
        throw new Error(`wire type ${key & 7}`);
    }
  }
  return fields;
}

const text = (value: Field['value'] | undefined) => new TextDecoder().decode(value as Uint8Array);

/** Every record, with both checksums checked. */
function readRecords(file: Uint8Array): Field[][] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const unmask = (stored: number) => {
    const rotated = (stored - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  const records: Field[][] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(unmask(view.getUint32(at + 8, true))).toBe(slowCrc32c(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(slowCrc32c(data));
    records.push(readFields(data));
    at += 16 + length;
  }
  return records;
}

/** `{ step, wallTime, values }` of a scalar record. */
function readScalars(record: Field[]) {
  const find = (id: number) => record.find((field) => field.id === id)?.value;
  const values = readFields(find(5) as Uint8Array).map(({ id, value }) => {
    expect(id).toBe(1);
    const inner = readFields(value as Uint8Array);
    return [text(inner.find((f) => f.id === 1)?.value), inner.find((f) => f.id === 2)?.value];
  });
  return { step: Number(find(2)), wallTime: find(1), values: Object.fromEntries(values) };
}

const steps = [
  { step: 1, wallTime: 1700000001.5, values: { 'reward/kept': 12.5, 'reward/best': 12.5, 'llm/tokens': 130 } },
  {
    step: 300,
    wallTime: 1700000009.25,
    values: { 'reward/kept': -3.75, 'reward/best': 12.5, 'reward/revision': null },
  },
];

describe('TensorBoard file', () => {
  it('has the published checksum of the check string', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    // RFC 3720, B.4: 32 bytes of zeros, and of ones
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  });

  it('starts with the version record and holds every scalar with its step and time', () => {
    const [version, ...scalars] = readRecords(encodeScalars(1699999999.125, steps));
    expect(version!.find((f) => f.id === 1)?.value).toBe(1699999999.125);
    expect(text(version!.find((f) => f.id === 3)?.value)).toBe('brain.Event:2');
    expect(scalars.map(readScalars)).toEqual([
      steps[0],
      { ...steps[1], values: { 'reward/kept': -3.75, 'reward/best': 12.5 } },
    ]);
  });

  it('is the same file whether written at once or step by step', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'r2po-tb-')), 'events');
    const file = await ScalarFile.create(path, 5, steps.slice(0, 1));
    await file.append(steps.slice(1));
    expect(readFileSync(path)).toEqual(encodeScalars(5, steps));
  });
});
