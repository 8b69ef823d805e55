/** How often each return came. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { numberText, shareText } from '../common/format.ts';
import { surfaceOf } from '../common/surface.ts';
import { colour, useTheme } from '../common/theme.ts';
import type { TallyView } from './tally.ts';

const height = 110;

function draw(canvas: HTMLCanvasElement, width: number, tally: TallyView, threshold: number): void {
  const surface = surfaceOf(canvas);
  if (surface === null || width === 0) return;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  const { bins, binWidth } = tally;
  const low = bins[0]!.low;
  const high = bins.at(-1)!.low + binWidth;
  const most = Math.max(...bins.map(({ count }) => count));
  const x = (value: number): number => ((value - low) / (high - low)) * width;
  for (const bin of bins) {
    const tall = Math.max(1, (bin.count / most) * (height - 4));
    surface.fillStyle = colour(bin.low + binWidth > threshold ? 'series-3' : 'series-1');
    const wide = Math.min(Math.max(1, x(bin.low + binWidth) - x(bin.low) - 1), 60);
    const middle = (x(bin.low) + x(bin.low + binWidth)) / 2;
    surface.fillRect(middle - wide / 2, height - tall, wide, tall);
  }
  if (threshold > low && threshold < high) {
    surface.strokeStyle = colour('border-strong');
    surface.setLineDash([4, 3]);
    surface.beginPath();
    surface.moveTo(x(threshold), 0);
    surface.lineTo(x(threshold), height);
    surface.stroke();
  }
}

export function Histogram({ tally, threshold }: { tally: TallyView; threshold: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const { isDark, theme } = useTheme();
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => draw(canvas.current!, width, tally, threshold), [tally, threshold, width, isDark, theme]);
  const { min, max, mean, success } = tally;
  return (
    <figure class="histogram">
      <canvas
        ref={canvas}
        role="img"
        style={{ height: `${height}px` }}
        aria-label={`Histogram of returns from ${numberText(min)} to ${numberText(max)}, mean ${numberText(mean)}, ${shareText(success)} successes`}
      />
      <figcaption>
        <span>{numberText(min, 5)}</span>
        <span>
          returns; <span class="histogram-success">success</span> from {numberText(threshold, 5)} on
        </span>
        <span>{numberText(max, 5)}</span>
      </figcaption>
    </figure>
  );
}
