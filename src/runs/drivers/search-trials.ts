/** The trials of a search, as its prompts show them. They hold numbers alone: a search may have a hundred thousand. */
import { NumberLists } from '../../base/number-lists.ts';
import type { CandidateLabel, Measured, PastTrial } from '../../methods/method.ts';
import type { Trace } from '../../rollout/job.ts';
import type { EventOf } from '../journal/events.ts';
import type { PlayedEpisode, Player } from './player.ts';

/** Numbers of a trial before those of its policies. */
const headLength = 7;

/**
 * Makes trials, and keeps of each a list of numbers: the place of the kept candidate; the episode that represents it; mean
 * and parameters of the candidates, and of what was proposed.
 */
export class SearchTrials {
  readonly player: Player;
  readonly #lists = new NumberLists();
  /** labels of the candidates of each trial; equal ones are one list */
  readonly #labels: (readonly CandidateLabel[])[] = [];
  readonly #known = new Map<string, readonly CandidateLabel[]>();

  constructor(player: Player) {
    this.player = player;
  }

  /** The trial of an iteration that kept a policy; `proposed`: what was played together with its candidates. */
  add(
    { kept, candidates }: Pick<EventOf<'iteration'>, 'kept' | 'candidates'>,
    proposed: readonly Measured[],
    { episodes, seed, picked }: PlayedEpisode,
  ): PastTrial {
    const labels = candidates.map(({ label }) => label);
    // A label of a method of somebody may have a comma.
    const key = JSON.stringify(labels);
    if (!this.#known.has(key)) this.#known.set(key, labels);
    this.#labels.push(this.#known.get(key)!);
    const index = this.#lists.push([
      ...[labels.indexOf(kept!), episodes, seed, picked.index, picked.seed, picked.return, picked.length],
      ...[...candidates, ...proposed].flatMap(({ mean, params }) => [mean, ...params]),
    ]);
    return new SearchTrial(this, index, candidates[0]!.params.length);
  }

  numbers(index: number): Float64Array {
    return this.#lists.view(index);
  }

  number(index: number, place: number): number {
    return this.#lists.at(index, place);
  }

  labels(index: number): readonly CandidateLabel[] {
    return this.#labels[index]!;
  }
}

class SearchTrial implements PastTrial {
  readonly #all: SearchTrials;
  readonly #index: number;
  readonly #paramCount: number;

  constructor(all: SearchTrials, index: number, paramCount: number) {
    this.#all = all;
    this.#index = index;
    this.#paramCount = paramCount;
  }

  get kind() {
    return 'iteration' as const;
  }

  get mean(): number {
    return this.#all.number(this.#index, this.#start(this.#kept));
  }

  get params(): readonly number[] {
    return this.#policy(this.#kept).params;
  }

  get candidates(): NonNullable<PastTrial['candidates']> {
    return this.#labels.map((label, place) => ({ label, ...this.#policy(place) }));
  }

  get proposed(): readonly Measured[] {
    const others = (this.#numbers.length - this.#start(this.#labels.length)) / (1 + this.#paramCount);
    return Array.from({ length: others }, (_, i) => this.#policy(this.#labels.length + i));
  }

  trace(): Promise<Trace> {
    const [, episodes, seed, index, ownSeed, value, length] = [...this.#numbers.subarray(0, headLength)] as Head;
    const picked = { index, seed: ownSeed, return: value, length };
    return this.#all.player.replay(this.params, { episodes, seed, picked });
  }

  get #numbers(): Float64Array {
    return this.#all.numbers(this.#index);
  }

  get #labels(): readonly CandidateLabel[] {
    return this.#all.labels(this.#index);
  }

  /** place of the kept candidate */
  get #kept(): number {
    return this.#all.number(this.#index, 0);
  }

  #start(place: number): number {
    return headLength + place * (1 + this.#paramCount);
  }

  #policy(place: number): Measured {
    const start = this.#start(place);
    const [mean, ...params] = this.#numbers.subarray(start, start + 1 + this.#paramCount);
    return { mean: mean!, params };
  }
}

type Head = [kept: number, episodes: number, seed: number, index: number, own: number, value: number, length: number];
