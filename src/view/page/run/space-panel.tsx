/** Every policy that was tried, in two dimensions, with the path of those that were kept. A click selects one. */
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { RunPage } from '../../api/run.ts';
import { countText, numberText, shareText } from '../common/format.ts';
import { Panel } from '../common/parts.tsx';
import { colour } from '../common/theme.ts';
import { Canvas, pointOf } from './canvas.tsx';
import { cssColour, sequential } from './colours.ts';
import { boundsOf, nearest, type PolicyPoint, placing, pointsOf } from './space.ts';

export interface SpacePanelProps {
  readonly page: RunPage;
  readonly iteration: number;
  readonly label: string | null;
  readonly onSelect: (iteration: number, label: string) => void;
}

const height = 280;
const margin = 14;
const reach = 14;
const scaleSteps = Array.from({ length: 10 }, (_, i) => cssColour(sequential(i / 9)));

function drawPath(context: CanvasRenderingContext2D, points: readonly PolicyPoint[], at: ReturnType<typeof placing>) {
  context.beginPath();
  for (const point of points) if (point.isKept) context.lineTo(at.x(point), at.y(point));
  context.strokeStyle = colour('muted');
  // The path of a long run would cover its points.
  context.globalAlpha = points.length > 400 ? 0.15 : 0.5;
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = 1;
}

function drawPoint(context: CanvasRenderingContext2D, x: number, y: number, radius: number, isKept: boolean) {
  context.beginPath();
  if (isKept) context.arc(x, y, radius, 0, 2 * Math.PI);
  else context.rect(x - radius * 0.8, y - radius * 0.8, radius * 1.6, radius * 1.6);
}

export function SpacePanel({ page, iteration, label, onSelect }: SpacePanelProps) {
  const points = useMemo(() => pointsOf(page), [page.projection, page.iterations]);
  const bounds = useMemo(() => boundsOf(points), [points]);
  const [hovered, setHovered] = useState(-1);
  const { iterations, projection } = page;
  const labelOf = ({ iteration: i, candidate: k }: PolicyPoint): string => iterations[i]!.candidates[k]!.label;
  const selected = points.findIndex((point) => point.iteration === iteration && labelOf(point) === label);

  const draw = useCallback(
    (context: CanvasRenderingContext2D, width: number) => {
      const at = placing(bounds, width, height, margin);
      const [low, high] = bounds.mean;
      const radius = points.length > 1000 ? 2.5 : points.length > 200 ? 3.5 : 5;
      drawPath(context, points, at);
      for (const point of points) {
        drawPoint(context, at.x(point), at.y(point), radius, point.isKept);
        context.fillStyle =
          point.mean === null ? colourOfNone : cssColour(sequential((point.mean - low) / (high - low)));
        context.fill();
      }
      for (const [index, ink] of [
        [hovered, 'muted'],
        [selected, 'text'],
      ] as const) {
        const point = points[index];
        if (!point) continue;
        drawPoint(context, at.x(point), at.y(point), radius + 4, point.isKept);
        context.strokeStyle = colour(ink);
        context.lineWidth = 2;
        context.stroke();
      }
    },
    [points, bounds, selected, hovered],
  );

  const found = (event: MouseEvent): number => {
    const { x, y } = pointOf(event);
    const { clientWidth } = event.currentTarget as HTMLElement;
    return nearest(points, placing(bounds, clientWidth, height, margin), x, y, reach);
  };
  const said = points[hovered] ?? points[selected];
  const shares = (projection?.explained ?? []).slice(0, 2);
  if (points.length < 2) return null;
  return (
    <Panel title="Policy space">
      <Canvas
        label={`${countText(points.length)} policies in the plane of two principal components, coloured by their mean return. The list of iterations has the same policies as text.`}
        class="space-canvas"
        height={height}
        draw={draw}
        onPointerMove={(event) => setHovered(found(event))}
        onPointerLeave={() => setHovered(-1)}
        onPointerDown={(event) => {
          const point = points[found(event)];
          if (point) onSelect(point.iteration, labelOf(point));
        }}
      />
      <div class="legend">
        <span>{numberText(bounds.mean[0])}</span>
        <span
          class="legend-bar"
          style={{ background: `linear-gradient(to right, ${scaleSteps.join(', ')})` }}
          aria-hidden="true"
        />
        <span>{numberText(bounds.mean[1])}</span>
        <span class="quiet">mean return; ● kept, ■ not kept</span>
      </div>
      <p class="quiet space-said">
        {said
          ? `Iteration ${iterations[said.iteration]!.iteration}, ${labelOf(said)}: mean ${numberText(said.mean)}. `
          : ''}
        {shares.length === 2 && `The two axes show ${shareText(shares[0]! + shares[1]!)} of the variance.`}
      </p>
    </Panel>
  );
}

/** for a policy without a mean */
const colourOfNone = '#888888';
