/** Recorded episodes side by side: pictures that move, a scrubber, and what happened over time below. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Shape } from '../../../envs/picture.ts';
import type { Trace } from '../../../rollout/job.ts';
import { numberText } from '../common/format.ts';
import { useTheme } from '../common/theme.ts';
import type { Engine } from './load.ts';
import { ownPlays } from './own-plays.ts';
import { Strip } from './strip.tsx';
import type { Subject } from './subject.ts';
import './play.css';
import { surfaceOf } from '../common/surface.ts';

export interface ShownEpisode {
  /** what is compared: "proposal" */
  readonly label: string;
  readonly subject: Subject;
  readonly trace: Trace;
  /** what there is to know about this episode, in words */
  readonly note: string | null;
}

const speeds = [0.25, 0.5, 1, 2, 4, 8] as const;

interface Frames {
  /** shapes after so many steps; a fraction lies between two frames */
  readonly shapes: (at: number) => readonly Shape[];
  /** nothing moves between two frames */
  readonly jumps: boolean;
}

function framesOf(engine: Engine, { subject, trace }: ShownEpisode): Frames {
  const picture = subject.env.picture ?? engine.barsPicture(subject.env, trace);
  const jumps = picture.jumps === true;
  const frame = (t: number): readonly Shape[] =>
    picture.draw(subject.env.params, trace.steps[t]?.state ?? trace.finalState, trace.steps[t]?.action ?? null);
  const shapes = (at: number): readonly Shape[] => {
    const t = Math.min(Math.floor(at), trace.length);
    return jumps || t >= trace.length ? frame(t) : engine.shapesBetween(frame(t), frame(t + 1), at - t);
  };
  return { shapes, jumps };
}

const stepSecondsOf = (subject: Subject): number => subject.env.picture?.stepSeconds ?? 0.05;

function Scene({ engine, episode, at }: { engine: Engine; episode: ShownEpisode; at: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { shapes, jumps } = useMemo(() => framesOf(engine, episode), [engine, episode]);
  const shown = jumps ? Math.floor(at) : at;
  const { isDark } = useTheme();
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = canvas.current!;
    const surface = surfaceOf(element);
    if (surface === null || width === 0) return;
    const { scene } = engine;
    const pixels = Math.round(width * devicePixelRatio);
    if (element.width !== pixels) {
      element.width = pixels;
      element.height = Math.round((pixels * scene.height) / scene.width);
    }
    const scale = pixels / scene.width;
    surface.setTransform(scale, 0, 0, scale, 0, 0);
    surface.clearRect(0, 0, scene.width, scene.height);
    engine.drawShapes(surface, shapes(shown), isDark);
  }, [engine, shapes, shown, isDark, width]);
  const { trace, subject, label, note } = episode;
  const t = Math.min(Math.floor(at), trace.length);
  return (
    <figure class="scene">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${subject.env.id}, ${label}, after ${t} of ${trace.length} steps`}
        style={{ aspectRatio: `${engine.scene.width} / ${engine.scene.height}` }}
      />
      <figcaption>
        <strong class="scene-label">{label}</strong> seed {trace.seed}: return {numberText(trace.return, 5)} in{' '}
        {trace.length} {trace.length === 1 ? 'step' : 'steps'}, {trace.end}
        {note !== null && <span class="scene-note"> {note}</span>}
      </figcaption>
    </figure>
  );
}

const wantsStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Whether a key belongs to what has the focus: a field, a button, a link. */
function isTaken(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, button, a, summary, dialog') !== null;
}

export interface EpisodePlayerProps {
  readonly engine: Engine;
  readonly episodes: readonly ShownEpisode[];
  /** step to begin at, which is not played from; null: from the start, playing */
  readonly start?: number | null;
  /** called when the reader stops at a step, null when it goes on */
  readonly onRest?: (step: number | null) => void;
  /** begins again behind the end, a few times */
  readonly loops?: boolean;
}

/** The clock of a player: the position in steps, and what moves it. */
function usePosition({ episodes, start, onRest, loops }: EpisodePlayerProps) {
  const last = Math.max(1, ...episodes.map(({ trace }) => trace.length));
  const [at, setAt] = useState(Math.min(start ?? 0, last));
  const [isPlaying, setPlaying] = useState(() => (start ?? null) === null && !wantsStill() && ownPlays.take());
  const [speed, setSpeed] = useState<number>(1);
  const position = useRef(at);
  const move = (to: number): void => {
    position.current = Math.min(Math.max(to, 0), last);
    setAt(position.current);
  };
  useEffect(() => {
    if (position.current > last) move(0);
  }, [last]);
  const stepSeconds = episodes[0] === undefined ? 0.05 : stepSecondsOf(episodes[0].subject);
  useEffect(() => {
    if (!isPlaying) return;
    let before = performance.now();
    let request = requestAnimationFrame(function tick(now) {
      const seconds = Math.min(Math.max(0, now - before) / 1000, 0.25);
      before = now;
      const next = position.current + (seconds * speed) / stepSeconds;
      if (next < last) move(next);
      else if (loops && ownPlays.take()) move(0);
      else {
        move(last);
        setPlaying(false);
        return;
      }
      request = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(request);
  }, [isPlaying, speed, stepSeconds, last, loops]);
  const rest = (to: number): void => {
    setPlaying(false);
    move(Math.round(to));
    onRest?.(Math.round(position.current));
  };
  const toggle = (): void => {
    if (isPlaying) {
      rest(Math.floor(position.current));
      return;
    }
    if (position.current >= last) move(0);
    onRest?.(null);
    setPlaying(true);
  };
  return { at, last, isPlaying, speed, setSpeed, rest, toggle };
}

export function EpisodePlayer(props: EpisodePlayerProps) {
  const { engine, episodes } = props;
  const { at, last, isPlaying, speed, setSpeed, rest, toggle } = usePosition(props);
  const toggleNow = useRef(toggle);
  toggleNow.current = toggle;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== ' ' || event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return;
      event.preventDefault();
      toggleNow.current();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const step = Math.floor(at);
  return (
    <div class="player">
      <div class={`scenes scenes-${Math.min(2, episodes.length)}`}>
        {episodes.map((episode) => (
          <Scene key={episode.label} engine={engine} episode={episode} at={at} />
        ))}
      </div>
      <div class="transport">
        <button type="button" onClick={toggle} aria-keyshortcuts="Space" title="play or pause (space)">
          {isPlaying ? 'Pause' : 'Play'}
        </button>
        <button type="button" aria-label="One step back" onClick={() => rest(step - 1)} disabled={step <= 0}>
          ‹
        </button>
        <button type="button" aria-label="One step on" onClick={() => rest(step + 1)} disabled={step >= last}>
          ›
        </button>
        <input
          type="range"
          class="scrubber"
          aria-label="Step"
          aria-valuetext={`step ${step} of ${last}`}
          min={0}
          max={last}
          step={1}
          value={step}
          onInput={(event) => rest(Number(event.currentTarget.value))}
        />
        <output class="step-number">
          {step} / {last}
        </output>
        <label class="speed">
          <span class="visually-hidden">Speed</span>
          <select value={String(speed)} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
            {speeds.map((one) => (
              <option key={one} value={String(one)}>
                {one}×
              </option>
            ))}
          </select>
        </label>
      </div>
      <Strip episodes={episodes} at={step} last={last} onSeek={rest} />
    </div>
  );
}
