/** Series of readings, their table, and the files that have them while a soak test goes on. */
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Readings at the start, which are left out: a process that starts takes memory. */
const startReadings = 20;

/** A row of the table: means of the first and the last fifth of a series, without its start, and its highest value. */
export function rowOf(what, values) {
  const settled = values.slice(Math.min(startReadings, Math.floor(values.length / 10)));
  const fifth = Math.max(1, Math.floor(settled.length / 5));
  const [first, last] =
    settled.length === 0 ? [null, null] : [settled.slice(0, fifth), settled.slice(-fifth)].map(mean);
  const highest = values.reduce((most, value) => (most === null || value > most ? value : most), null);
  return { what, readings: values.length, first, last, highest };
}

const cell = (value) => (value === null ? '-' : value.toFixed(1));

export function markdownOf(rows) {
  const lines = rows.map(
    ({ what, readings, first, last, highest }) =>
      `| ${what} | ${readings} | ${cell(first)} | ${cell(last)} | ${cell(highest)} |`,
  );
  return ['| what | readings | first fifth | last fifth | highest |', '|---|---:|---:|---:|---:|', ...lines].join('\n');
}

/** How much a total grew between its readings, by each unit of another one: `[{ of, by }]` with both totals. */
export function growths(readings) {
  const steps = readings.slice(1).map(({ of, by }, i) => ({ of: of - readings[i].of, by: by - readings[i].by }));
  return steps.filter(({ by }) => by > 0).map(({ of, by }) => of / by);
}

/** The files of a soak test: every reading as it comes, and the table so far. */
export class Results {
  #folder;
  #series = new Map();
  #facts;

  constructor(folder, facts) {
    this.#folder = folder;
    this.#facts = facts;
    mkdirSync(folder, { recursive: true });
  }

  /** `what`: a row of the table */
  add(what, value) {
    if (!this.#series.has(what)) this.#series.set(what, []);
    this.#series.get(what).push(value);
    const line = { time: new Date().toISOString(), what, value };
    appendFileSync(join(this.#folder, 'readings.jsonl'), `${JSON.stringify(line)}\n`);
  }

  rows() {
    return [...this.#series].map(([what, values]) => rowOf(what, values));
  }

  /** `state`: `running`, `interrupted`, `failed` or `done` */
  write(state, facts = {}) {
    Object.assign(this.#facts, facts);
    const rows = this.rows();
    const document = { state, ...this.#facts, rows };
    this.#replace('result.json', `${JSON.stringify(document, null, 2)}\n`);
    this.#replace('result.md', `${markdownOf(rows)}\n`);
  }

  #replace(name, text) {
    const path = join(this.#folder, name);
    writeFileSync(`${path}.draft`, text);
    renameSync(`${path}.draft`, path);
  }
}
