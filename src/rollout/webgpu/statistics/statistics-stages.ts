/** The stages of shaders/statistics.wgsl: their programs, and what each is given. */
import { maxRanks, type StatisticsRequest } from '../../statistics.ts';
import type { Program } from '../program/link.ts';
import { type EpisodeBlock, smallestSegment } from '../run/memory-plan.ts';
import type { Copy, Dispatch, Kernel, Runner } from '../run/runner.ts';
import { digitBits, kinds, recordSize, stateSize } from './statistics-declarations.ts';
import { keyAtLeast, ranksOf } from './statistics-records.ts';

/** Episodes per tile, `TILE`: what a workgroup reads in eight turns, and a million of them fill a large GPU. */
const tile = 2048;
/** Up to here one workgroup does all for a candidate; a larger number and few candidates would leave a GPU idle. */
const wholeEpisodes = 2 * tile;
/** Up to here a warp per candidate is enough; more invocations would only wait for each other. */
const fewEpisodes = 256;
const team = { few: 32, many: 256 } as const;

/** words per candidate */
const histogramWords = maxRanks * 2 ** digitBits;
/** bytes that a stage leaves per tile */
const partialBytes = kinds * 16;
/** The jobs of several segments share a buffer, in which a binding starts at multiples of this. */
const slotWords = 64;

/** What counts the steps of a dispatch: units of 2^16, and the rest. */
const counterBytes = 8;
export const stepsCounted = ([high, low]: Uint32Array): number => high! * 2 ** 16 + low!;

const wholeStage = ['whole'] as const;
const tiledStages = [
  'gather_tiles',
  'gather_join',
  'count_tiles',
  'count_join',
  'nearest_tiles',
  'nearest_join',
] as const;
type StatisticsStage = (typeof wholeStage)[number] | (typeof tiledStages)[number] | 'progress';
export type TileStage = 'gather_tiles' | 'count_tiles' | 'nearest_tiles';
export type JoinStage = 'gather_join' | 'count_join' | 'nearest_join';

/** The stages for many episodes in their order: each goes over the tiles and is then joined per candidate. */
export const tiledSequence: readonly { readonly tiles: TileStage; readonly join: JoinStage }[] = [
  { tiles: 'gather_tiles', join: 'gather_join' },
  ...Array.from({ length: 32 / digitBits }, () => ({ tiles: 'count_tiles', join: 'count_join' }) as const),
  { tiles: 'nearest_tiles', join: 'nearest_join' },
];

const tilesIn = (episodes: number): number => Math.ceil(episodes / tile);

export class StatisticsStages {
  readonly #runner: Runner;
  readonly #episodes: number;
  readonly #request: StatisticsRequest;
  readonly #kernels: ReadonlyMap<StatisticsStage, Kernel>;
  #jobs: GPUBuffer | null = null;

  private constructor(
    runner: Runner,
    episodes: number,
    request: StatisticsRequest,
    kernels: ReadonlyMap<StatisticsStage, Kernel>,
  ) {
    this.#runner = runner;
    this.#episodes = episodes;
    this.#request = request;
    this.#kernels = kernels;
  }

  /** Compiles what candidates with this many episodes take of the statistics program, unless that was done before. */
  static async prepare(
    runner: Runner,
    episodes: number,
    request: StatisticsRequest,
    program: Program,
  ): Promise<StatisticsStages> {
    const constants = { TEAM: team[episodes <= fewEpisodes ? 'few' : 'many'], TILE: tile };
    const names: readonly StatisticsStage[] = ['progress', ...(episodes <= wholeEpisodes ? wholeStage : tiledStages)];
    const kernels = await Promise.all(
      names.map(async (name) => {
        const kernel = await runner.kernel(program, { name, inputs: 2, outputs: 4, constants });
        return [name, kernel] as const;
      }),
    );
    return new StatisticsStages(runner, episodes, request, new Map(kernels));
  }

  /** Says what the stages of a block work on; they are to be submitted before the next block starts. */
  begin(block: EpisodeBlock): void {
    const ranks = ranksOf(this.#episodes, this.#request);
    const words = new Uint32Array(block.segments.length * slotWords);
    let firstTile = 0;
    block.segments.forEach(({ first, count }, i) => {
      const tiles = tilesIn(count);
      const job = [this.#episodes, block.count, first, count, tiles, firstTile, tilesIn(this.#episodes)];
      words.set([...job, keyAtLeast(this.#request.successThreshold), ...ranks.middle, ...ranks.all], i * slotWords);
      firstTile += tiles;
    });
    this.#jobs = this.#runner.upload('statistics jobs', words);
  }

  /** Everything for a block whose outcomes lie in one buffer. */
  all(block: EpisodeBlock, outcomes: GPUBuffer): Dispatch[] {
    if (this.#kernels.has('whole')) return [this.#stage('whole', block, 0, outcomes, block.count)];
    return tiledSequence.flatMap(({ tiles, join }) => [
      this.tiles(tiles, block, 0, outcomes),
      this.join(join, block, 0, outcomes),
    ]);
  }

  /** A stage over the tiles of one segment. */
  tiles(stage: TileStage, block: EpisodeBlock, segment: number, outcomes: GPUBuffer): Dispatch {
    return this.#stage(stage, block, segment, outcomes, block.count * tilesIn(block.segments[segment]!.count));
  }

  /** Joins what the tiles of all segments left. */
  join(stage: JoinStage, block: EpisodeBlock, segment: number, outcomes: GPUBuffer): Dispatch {
    return this.#stage(stage, block, segment, outcomes, block.count);
  }

  #stage(
    stage: StatisticsStage,
    block: EpisodeBlock,
    segment: number,
    outcomes: GPUBuffer,
    workgroups: number,
  ): Dispatch {
    const runner = this.#runner;
    if (!this.#jobs) throw new Error('a block has to begin before it is summed up');
    const job = { buffer: this.#jobs, offset: segment * slotWords * 4, size: slotWords * 4 };
    const others = [
      outcomes,
      this.records(block).from,
      runner.buffer('states', block.count * stateSize * 4),
      runner.buffer('partials', block.count * tilesIn(this.#episodes) * partialBytes),
      this.histograms(block),
    ];
    return { kernel: this.#kernel(stage), bindings: [job, ...others.map((buffer) => ({ buffer }))], workgroups };
  }

  /** Has to be zero when the digits are first counted; the stages leave it so. */
  histograms(block: EpisodeBlock): GPUBuffer {
    return this.#runner.buffer('histograms', this.#kernels.has('whole') ? 4 : block.count * histogramWords * 4);
  }

  /** What the stages leave of a block: `recordSize` words per candidate. */
  records(block: EpisodeBlock): Copy {
    const bytes = block.count * recordSize * 4;
    return { from: this.#runner.buffer('records', bytes), bytes };
  }

  /** Adds up the steps of `count` outcomes from `at` on, in the counter, which has to be zero before. */
  progress(outcomes: GPUBuffer, at: number, count: number): Dispatch {
    const runner = this.#runner;
    const words = new Uint32Array(slotWords);
    words.set([this.#episodes, 1, at, count]);
    const unused = ['records', 'states', 'partials'].map((name) => runner.buffer(`no ${name}`, 4));
    const bindings = [runner.upload('progress job', words), outcomes, ...unused, this.counter().from];
    return {
      kernel: this.#kernel('progress'),
      bindings: bindings.map((buffer) => ({ buffer })),
      workgroups: tilesIn(count),
    };
  }

  counter(): Copy {
    return { from: this.#runner.buffer('counter', counterBytes), bytes: counterBytes };
  }

  #kernel(stage: StatisticsStage): Kernel {
    const kernel = this.#kernels.get(stage);
    if (!kernel) throw new Error(`the stage ${stage} is not for ${this.#episodes} episodes`);
    return kernel;
  }
}

if (smallestSegment % tile !== 0) throw new Error('a tile must not lie in two segments');
