/** How the episodes of a job are cut to fit into the memory of a device. */
import { UsageError } from '../../../base/errors.ts';
import { outcomeBytes } from '../episodes/outcome-word.ts';

/** Default maximum number of outcomes in one buffer: 32 MiB. */
export const defaultSegment = 2 ** 22;
/** All sizes are multiples of this. */
export const smallestSegment = 2 ** 12;

/** The same episodes of all candidates of a block, as they lie in one buffer. */
export interface Segment {
  /** number of the first episode */
  readonly first: number;
  /** per candidate */
  readonly count: number;
}

/** Candidates that are played together: many with one segment each, or one with many segments. */
export interface EpisodeBlock {
  readonly first: number;
  readonly count: number;
  readonly segments: readonly Segment[];
}

export interface PlanRequest {
  readonly candidates: number;
  readonly episodes: number;
  /** bytes of one candidate in its largest buffer */
  readonly candidateBytes: number;
  /** largest buffer of a program */
  readonly bindingBytes: number;
  /** maximum number of outcomes in one buffer, a power of two of `smallestSegment` or more */
  readonly segment: number;
}

/** Cuts a job into blocks. Throws a usage error when one candidate alone does not fit. */
export function planBlocks({
  candidates,
  episodes,
  candidateBytes,
  bindingBytes,
  segment,
}: PlanRequest): EpisodeBlock[] {
  const maxOutcomes = Math.min(segment, 2 ** Math.floor(Math.log2(bindingBytes / outcomeBytes)));
  const uploaded = Math.floor(bindingBytes / candidateBytes);
  if (uploaded < 1) {
    throw new UsageError(
      'webgpu',
      `expected a policy of at most ${bindingBytes} bytes, got ${candidateBytes}; use a smaller one or --backend cpu`,
    );
  }
  const size = Math.min(uploaded, Math.max(1, Math.floor(maxOutcomes / episodes)));
  const segments = cut(episodes, maxOutcomes).map(([first, count]) => ({ first, count }));
  return cut(candidates, size).map(([first, count]) => ({ first, count, segments }));
}

/** 0 ... total - 1 in runs of at most `size`, as first and count. */
function cut(total: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => [i * size, Math.min(size, total - i * size)]);
}
