/** The states of the optimiser of a run: they follow from its seed and the recorded means, so they are worked out again. */
import { startOptimisation } from '../../config/optimisation.ts';
import { optimiserOf } from '../../methods/optimiser-method.ts';
import type { Optimisation } from '../../optimisers/optimiser.ts';
import { unseenByOptimiser } from '../../runs/drivers/method-optimiser.ts';
import type { EventOf, RunEvent } from '../../runs/journal/events.ts';
import type { RunUnits } from '../../runs/resolve-units.ts';
import { deriveGenerator } from '../../runs/seeds.ts';
import type { RunPage } from '../api/run.ts';

type State = NonNullable<RunPage['optimiser']>;

/** Numbers of means and spectra that a page is given at most: of longer searches every second state, every third ... */
const mostNumbers = 200_000;
/** States that are kept. */
const mostStates = 5000;
/** Parameters above which the decompositions of a covariance matrix take too long to be repeated for a page. */
const mostParameters = 400;

interface OneState {
  readonly iteration: number;
  readonly sigma: number | null;
  readonly mean: readonly number[];
  /** standard deviations along the axes, in falling order */
  readonly spectrum: readonly number[];
}

export class OptimiserReplay {
  readonly #units: RunUnits;
  readonly #optimisation: Optimisation;
  /** of a long search every second one, every fourth ... */
  #states: OneState[] = [];
  #every = 1;
  #generations = 0;
  /** members of the generation that was told last */
  #members: readonly Float64Array[] = [];
  /** false: the record is not that of the optimiser as it is in this version */
  agrees = true;

  private constructor(units: RunUnits, optimisation: Optimisation) {
    this.#units = units;
    this.#optimisation = optimisation;
  }

  /** Null: the run has no optimiser that searches for as long as it lasts, or its states would take too long. */
  static of(units: RunUnits): OptimiserReplay | null {
    const { config, env, policy } = units;
    const lasts = units.kind === 'optimiser' || units.method.stages.includes('generation');
    if (!lasts || optimiserOf(units.method)?.isSolution || policy.paramCount > mostParameters) return null;
    return new OptimiserReplay(units, startOptimisation(config, env, policy));
  }

  add(event: RunEvent): void {
    if (!this.agrees) return;
    if (event.type === 'generation') this.#addGeneration(event);
    if (event.type === 'evaluated') this.#checkMember(event.params);
    if (event.type === 'iteration' && this.#units.kind !== 'optimiser') {
      const unseen = unseenByOptimiser(this.#units.method, event);
      if (unseen) this.#optimisation.inject([Float64Array.from(unseen.params)]);
    }
  }

  #addGeneration({ iteration, means, observed, proposed = [] }: EventOf<'generation'>): void {
    const optimisation = this.#optimisation;
    const rng = deriveGenerator(this.#units.config.seed, 'population', iteration);
    optimisation.prepare(rng);
    const members = optimisation.ask(
      rng,
      proposed.map(({ params }) => Float64Array.from(params)),
    );
    if (members.length !== means.length) {
      this.agrees = false;
      return;
    }
    // No member is evaluated where all broke.
    this.#members = means.every(Number.isNaN) ? [] : members.map((member) => member.slice());
    optimisation.tell(means, observed);
    if (this.#generations++ % this.#every !== 0) return;
    const distribution = optimisation.distribution();
    this.#states.push({
      iteration,
      sigma: distribution?.sigma ?? null,
      mean: [...(distribution?.mean ?? optimisation.centre())],
      spectrum: distribution?.axes.map(({ deviation }) => deviation) ?? [],
    });
    if (this.#states.length <= mostStates) return;
    this.#states = this.#states.filter((_, i) => i % 2 === 0);
    this.#every *= 2;
  }

  /** The candidate that is evaluated behind a generation is the best of its members. */
  #checkMember(params: readonly number[]): void {
    if (this.#members.length === 0) return;
    this.agrees = this.#members.some((member) => params.every((value, i) => value === member[i]));
    this.#members = [];
  }

  /** The states behind an iteration; null: there are none, or they are not those of the record. */
  stateAfter(after = 0): State | null {
    if (!this.agrees || this.#states.length === 0) return null;
    const fresh = this.#states.filter(({ iteration }) => iteration > after);
    const each = fresh.reduce((most, { mean, spectrum }) => Math.max(most, mean.length + spectrum.length), 1);
    const step = Math.max(1, Math.ceil((fresh.length * each) / mostNumbers));
    const shown = fresh.filter((_, i) => i % step === 0 || i === fresh.length - 1);
    return {
      name: this.#units.method.id,
      iteration: shown.map(({ iteration }) => iteration),
      sigma: shown.map(({ sigma }) => sigma),
      axisRatio: shown.map(({ spectrum }) => {
        const [longest, shortest] = [spectrum[0], spectrum.at(-1)];
        return longest !== undefined && shortest !== undefined && shortest > 0 ? longest / shortest : null;
      }),
      mean: shown.map(({ mean }) => [...mean]),
      spectrum: shown.map(({ spectrum }) => [...spectrum]),
    };
  }
}
