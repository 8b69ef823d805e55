/** Streams the tidy table to Apache Parquet, with at most one row group in memory. */
import { fileWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { type TidyRow, type TidyType, tidyColumns } from './rows.ts';

/** Readers skip whole row groups; a hundred thousand rows take some megabytes. */
const rowsPerGroup = 100_000;

/** Whole numbers are 64 bits wide: a run may play more episodes than 32 bits count. */
const schemaTypes: Readonly<Record<TidyType, Omit<SchemaElement, 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  whole: { type: 'INT64', repetition_type: 'REQUIRED' },
  counted: { type: 'INT64', repetition_type: 'OPTIONAL' },
  real: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  boolean: { type: 'BOOLEAN', repetition_type: 'REQUIRED' },
};

const schema: SchemaElement[] = [
  { name: 'root', num_children: tidyColumns.length },
  ...tidyColumns.map(({ name, type }) => ({ name, ...schemaTypes[type] })),
];

export class TidyParquet {
  private readonly writer: ParquetWriter;
  private readonly groupSize: number;
  private rows: TidyRow[] = [];

  /** Creates or truncates the file. */
  constructor(path: string, groupSize: number = rowsPerGroup) {
    this.groupSize = groupSize;
    this.writer = new ParquetWriter({ writer: fileWriter(path), schema, createdBy: 'r2po' });
  }

  add(rows: readonly TidyRow[]): void {
    for (const row of rows) {
      this.rows.push(row);
      if (this.rows.length === this.groupSize) this.writeGroup();
    }
  }

  /** Writes the remaining rows and the footer, which readers require. */
  finish(): void {
    if (this.rows.length > 0) this.writeGroup();
    this.writer.finish();
  }

  private writeGroup(): void {
    const columnData = tidyColumns.map(({ name, type }) => ({
      name,
      data: this.rows.map((row) => {
        const value = row[name];
        return (type === 'whole' || type === 'counted') && value !== null ? BigInt(value) : value;
      }),
    }));
    this.writer.write({ columnData, rowGroupSize: this.groupSize });
    this.rows = [];
  }
}
