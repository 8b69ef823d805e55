/** A canvas as wide as its place that is drawn again when its size, its colours or what it shows changes. */
import { useEffect, useRef } from 'preact/hooks';
import { surfaceOf } from '../common/surface.ts';
import { onTheme } from '../common/theme.ts';

export interface CanvasProps {
  readonly label: string;
  readonly height: number;
  /** draws on a cleared canvas, in CSS pixels; a new function draws again */
  readonly draw: (context: CanvasRenderingContext2D, width: number, height: number) => void;
  readonly class?: string;
  readonly onPointerDown?: (event: PointerEvent) => void;
  readonly onPointerMove?: (event: PointerEvent) => void;
  readonly onPointerUp?: (event: PointerEvent) => void;
  readonly onPointerLeave?: (event: PointerEvent) => void;
  readonly onDblClick?: (event: MouseEvent) => void;
}

export function Canvas({ label, height, draw, ...rest }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const again = useRef(() => {});

  useEffect(() => {
    const element = canvas.current!;
    let frame = 0;
    const paint = (): void => {
      const width = element.clientWidth;
      const ratio = devicePixelRatio || 1;
      if (width === 0) return;
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
      const context = surfaceOf(element);
      if (context === null) return;
      context.scale(ratio, ratio);
      latest.current(context, width, height);
    };
    again.current = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(paint);
    };
    const observer = new ResizeObserver(() => again.current());
    observer.observe(element);
    const stop = onTheme(() => again.current());
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      stop();
    };
  }, [height]);
  useEffect(() => again.current(), [draw]);
  return <canvas ref={canvas} role="img" aria-label={label} style={{ height: `${height}px` }} {...rest} />;
}

/** Where a pointer is on its canvas, in CSS pixels. */
export function pointOf(event: MouseEvent): { readonly x: number; readonly y: number } {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}
