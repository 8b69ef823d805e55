/** Plays the episodes of a job and computes statistics on the device, so that only a record per candidate comes back. */
import { R2poError } from '../../../base/errors.ts';
import type { PlayOptions } from '../../backend.ts';
import type { StatisticsRequest } from '../../statistics.ts';
import type { EpisodeKernel } from '../episodes/episode-kernel.ts';
import { outcomeBytes } from '../episodes/outcome-word.ts';
import type { ProgramCache } from '../program/program-cache.ts';
import { InFlight } from '../run/in-flight.ts';
import type { EpisodeBlock, Segment } from '../run/memory-plan.ts';
import type { Dispatch, Results } from '../run/runner.ts';
import { StatisticsRecords } from './statistics-records.ts';
import { StatisticsStages, stepsCounted, tiledSequence } from './statistics-stages.ts';

export interface MeasureOptions extends PlayOptions {
  readonly device: GPUDevice;
  /** bytes that the outcomes of one candidate may take; what does not fit is played again for each stage */
  readonly memory: number;
  readonly programs: ProgramCache;
}

export interface MeasuredOnGpu {
  readonly records: StatisticsRecords;
  readonly gpuSeconds: number | null;
  /** of both programs */
  readonly compileSeconds: number;
}

/** Additional parts of a submission. */
interface Extra {
  readonly dispatches?: readonly Dispatch[];
  /** brings the records of this block back */
  readonly recordsOf?: EpisodeBlock;
  /** set to zero first */
  readonly clear?: readonly GPUBuffer[];
}

/**
 * One submission processes so many outcomes, and a segment more. An H100 takes 1 ms for them and the host 0.2 ms to
 * submit; on a GPU of a twentieth of its speed the submission is still short.
 */
const outcomesPerSubmission = 2 ** 25;

/** Throws `R2poError` for a return that is not finite, and the signal's reason between two dispatches. */
export async function measure(
  rollout: EpisodeKernel,
  request: StatisticsRequest,
  options: MeasureOptions,
): Promise<MeasuredOnGpu> {
  const { job, runner } = rollout;
  const started = performance.now();
  const summing = await StatisticsStages.prepare(runner, job.episodes, request, options.programs.statistics());
  const compileSeconds = rollout.compileSeconds + (performance.now() - started) / 1000;
  const records = new StatisticsRecords(job.candidates.length, job.episodes, request);
  const measurement = new Measurement(rollout, summing, records, options);
  const gpuSeconds = await measurement.run();
  records.check(job);
  return { records, gpuSeconds, compileSeconds };
}

/** Collects stages over stored outcomes until they are worth a submission. */
class Waiting {
  #dispatches: Dispatch[] = [];
  #outcomes = 0;

  add(dispatch: Dispatch, outcomes: number): void {
    this.#dispatches.push(dispatch);
    this.#outcomes += outcomes;
  }

  get some(): boolean {
    return this.#dispatches.length > 0;
  }

  get enough(): boolean {
    return this.#outcomes >= outcomesPerSubmission;
  }

  take(): Dispatch[] {
    const dispatches = this.#dispatches;
    this.#dispatches = [];
    this.#outcomes = 0;
    return dispatches;
  }
}

class Measurement {
  readonly #rollout: EpisodeKernel;
  readonly #summing: StatisticsStages;
  readonly #records: StatisticsRecords;
  readonly #options: MeasureOptions;
  readonly #flight = new InFlight();
  #gpuSeconds: number | null;
  /** episodes, with those that are played again for a later stage */
  #toPlay: number;
  #played = 0;
  /** kept, because `#toPlay` may grow and the share must not fall */
  #reportedShare = 0;

  constructor(rollout: EpisodeKernel, summing: StatisticsStages, records: StatisticsRecords, options: MeasureOptions) {
    this.#rollout = rollout;
    this.#summing = summing;
    this.#records = records;
    this.#options = options;
    this.#gpuSeconds = options.timing ? 0 : null;
    this.#toPlay = rollout.job.candidates.length * rollout.job.episodes;
  }

  /** @returns seconds on the GPU, null when not asked for or not known */
  async run(): Promise<number | null> {
    try {
      for (const block of this.#rollout.blocks) {
        this.#rollout.begin(block);
        this.#summing.begin(block);
        const [segment, ...more] = block.segments;
        if (more.length > 0) await this.#inSegments(block);
        else await this.#atOnce(block, segment!);
      }
      await this.#flight.drain();
    } finally {
      await this.#flight.settle();
    }
    return this.#gpuSeconds;
  }

  /** All outcomes of the block lie in one buffer, and are summed up with the last dispatch that plays some. */
  async #atOnce(block: EpisodeBlock, segment: Segment): Promise<void> {
    const outcomes = this.#rollout.outcomes(block.count * segment.count);
    const dispatches = this.#summing.all(block, outcomes);
    await this.#play(block, segment, outcomes, { dispatches, recordsOf: block, clear: this.#fresh(block) });
  }

  /** One candidate, whose outcomes take more than one buffer: every stage goes over all of them. */
  async #inSegments(block: EpisodeBlock): Promise<void> {
    const { segments } = block;
    const buffers = await this.#segmentBuffers(segments);
    const bufferOf = (i: number): GPUBuffer => buffers[Math.min(i, buffers.length - 1)]!;
    const held = new Map<GPUBuffer, number>();
    const last = segments.length - 1;
    // A segment with its own buffer is played once.
    const shared = segments.slice(buffers.length - 1);
    if (shared.length > 1) {
      this.#toPlay += shared.reduce((sum, { count }) => sum + count, 0) * (tiledSequence.length - 1);
    }
    try {
      for (const [stage, { tiles, join }] of tiledSequence.entries()) {
        const waiting = new Waiting();
        for (let i = 0; i <= last; i++) {
          this.#options.signal?.throwIfAborted();
          const outcomes = bufferOf(i);
          const dispatch = this.#summing.tiles(tiles, block, i, outcomes);
          // A shared buffer was overwritten; the same seeds give the same episodes again.
          if (held.get(outcomes) === i) {
            waiting.add(dispatch, segments[i]!.count);
            if (waiting.enough) await this.#send(waiting.take());
          } else {
            if (waiting.some) await this.#send(waiting.take());
            await this.#play(block, segments[i]!, outcomes, { dispatches: [dispatch] });
          }
          held.set(outcomes, i);
        }
        await this.#send([...waiting.take(), this.#summing.join(join, block, last, bufferOf(last))], {
          ...(stage === 0 && { clear: this.#fresh(block) }),
          ...(stage === tiledSequence.length - 1 && { recordsOf: block }),
        });
      }
      await this.#flight.drain();
    } finally {
      await this.#flight.settle();
      for (const buffer of buffers) buffer.destroy();
    }
    for (const index of this.#records.missing(block.first)) {
      const slice = { first: index, count: 1, at: 0 };
      const outcomes = this.#rollout.outcomes(1);
      const work = {
        dispatches: [this.#rollout.dispatch(slice, outcomes)],
        copies: [{ from: outcomes, bytes: outcomeBytes }],
      };
      await this.#rollout.runner.submit(work, (results) => {
        this.#records.fill(block.first, index, results.u32(0));
      });
    }
  }

  /** Plays the episodes of a segment; the last submission holds the `ending` too. */
  async #play(block: EpisodeBlock, segment: Segment, outcomes: GPUBuffer, ending: Extra): Promise<void> {
    const { size, limit } = this.#rollout;
    const total = block.count * segment.count;
    for (let done = 0; done < total; ) {
      this.#options.signal?.throwIfAborted();
      const count = size.next(total - done, limit.steps);
      const play = this.#rollout.dispatch({ first: segment.first + done, count, at: done }, outcomes);
      const progress = this.#summing.progress(outcomes, done, count);
      done += count;
      await this.#send([play, progress], { ...(done === total && ending), plays: count });
    }
  }

  /** Submits, and takes what comes back: records, and how many steps were played. */
  async #send(dispatches: readonly Dispatch[], extra: Extra & { readonly plays?: number } = {}): Promise<void> {
    const { recordsOf, clear = [], plays = 0 } = extra;
    const counter = plays > 0 ? [this.#summing.counter()] : [];
    const records = recordsOf ? [this.#summing.records(recordsOf)] : [];
    const work = {
      clear: [...clear, ...counter.map(({ from }) => from)],
      dispatches: [...dispatches, ...(extra.dispatches ?? [])],
      copies: [...counter, ...records],
      timing: this.#options.timing ?? false,
    };
    const take = (results: Results) => {
      if (recordsOf) this.#records.set(recordsOf.first, results.u32(counter.length));
      return { steps: plays > 0 ? stepsCounted(results.u32(0)) : 0, gpuSeconds: results.gpuSeconds };
    };
    await this.#flight.add(this.#rollout.runner.submit(work, take), ({ steps, gpuSeconds }, seconds) => {
      if (plays > 0) {
        this.#rollout.size.observe(steps, seconds);
        this.#played += plays;
        this.#reportedShare = Math.max(this.#reportedShare, Math.min(1, this.#played / this.#toPlay));
        this.#options.onProgress?.(this.#reportedShare);
      }
      this.#gpuSeconds = this.#gpuSeconds === null || gpuSeconds === null ? null : this.#gpuSeconds + gpuSeconds;
    });
  }

  #fresh(block: EpisodeBlock): GPUBuffer[] {
    return [this.#summing.histograms(block)];
  }

  /** A buffer per segment while memory suffices; the remaining segments share the last one. */
  async #segmentBuffers(segments: readonly Segment[]): Promise<GPUBuffer[]> {
    const { device, memory } = this.#options;
    const size = Math.max(...segments.map(({ count }) => count)) * outcomeBytes;
    const wanted = Math.max(1, Math.min(segments.length, Math.floor(memory / size)));
    const buffers: GPUBuffer[] = [];
    while (buffers.length < wanted) {
      device.pushErrorScope('out-of-memory');
      const buffer = device.createBuffer({ label: 'outcomes of a segment', size, usage: GPUBufferUsage.STORAGE });
      if (await device.popErrorScope()) break;
      buffers.push(buffer);
    }
    if (buffers.length > 0) return buffers;
    throw new R2poError('webgpu', `expected ${size} bytes of memory on the device, got less; play fewer episodes`);
  }
}
