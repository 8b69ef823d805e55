/** A small curve without axes; the numbers beside it say what it shows. */
export function Sparkline({
  values,
  width = 100,
  height = 26,
}: {
  values: readonly (number | null)[];
  width?: number;
  height?: number;
}) {
  const known = values.flatMap((value, i) => (value === null ? [] : [{ i, value }]));
  if (known.length < 2) return <span class="quiet">–</span>;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { value } of known) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const pad = 3;
  const x = (i: number): number => pad + (i / (values.length - 1)) * (width - 2 * pad);
  const y = (value: number): number =>
    high === low ? height / 2 : height - pad - ((value - low) / (high - low)) * (height - 2 * pad);
  const last = known.at(-1)!;
  const points = known.map(({ i, value }) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polyline points={points} fill="none" />
      <circle cx={x(last.i)} cy={y(last.value)} r="2.2" />
    </svg>
  );
}
