/** RFC 4180: quoted where a comma, a quote or a line break asks for it; an empty cell where there is no value. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  const text = (cell: string | number | null): string => {
    const plain = cell === null ? '' : String(cell);
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return `${cells.map(text).join(',')}\n`;
}
