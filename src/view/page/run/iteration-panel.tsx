/** One iteration: the policies that it played, the one that it kept and why, and whether the difference may be noise. */
import type { CallRow, Iteration } from '../../api/run.ts';
import { countText, estimateText, numberText, pText, shareText } from '../common/format.ts';
import { Interval, Panel } from '../common/parts.tsx';
import { type Noise, noiseLevel, noiseOf } from './noise.ts';
import { type Candidate, callOf, referenceOf } from './run-data.ts';

export interface IterationPanelProps {
  readonly iterations: readonly Iteration[];
  readonly index: number;
  readonly calls: readonly CallRow[];
  readonly label: string | null;
  readonly onPolicy: (label: string) => void;
  readonly onStep: (by: number) => void;
}

const basisTexts: Readonly<Record<Noise['basis'], string>> = {
  paired: 'test of the episodes in pairs, on the same seeds',
  approximate: "Welch's test of the means, as if the episodes were independent",
  identical: 'the parameters are the same',
};

function NoiseLine({ noise }: { noise: Noise }) {
  const sign = noise.difference > 0 ? '+' : '';
  const verdict =
    noise.p > noiseLevel
      ? `Noise of the evaluation alone gives a difference of this size in ${shareText(noise.p)} of such pairs.`
      : 'Noise of the evaluation alone does not explain the difference.';
  return (
    <p>
      <b>
        Difference {sign}
        {estimateText(noise.difference, noise.ci95)}
      </b>
      , p {pText(noise.p)} <span class="quiet">({basisTexts[noise.basis]})</span>. {verdict}
    </p>
  );
}

function PolicyCard({
  candidate,
  isKept,
  isSelected,
  call,
  onSelect,
}: {
  candidate: Candidate;
  isKept: boolean;
  isSelected: boolean;
  call: CallRow | null;
  onSelect: () => void;
}) {
  const { label, mean, ci95, episodes, success, byOptimiser } = candidate;
  return (
    <button type="button" class={`policy ${isKept ? 'policy-kept' : ''}`} aria-pressed={isSelected} onClick={onSelect}>
      <span class="policy-head">
        <b>{label}</b>
        <span class={isKept ? 'policy-verdict-kept' : 'quiet'}>{isKept ? '✓ kept' : '✕ not kept'}</span>
      </span>
      <span>
        <Interval value={mean} ci95={ci95} />
      </span>
      <small class="quiet">
        {countText(episodes)} {episodes === 1 ? 'episode' : 'episodes'}
        {success !== null && `, ${shareText(success)} succeed`}
        {call !== null ? `, by the ${call.purpose} call` : byOptimiser ? ', by the optimiser' : ''}
      </small>
    </button>
  );
}

export function IterationPanel({ iterations, index, calls, label, onPolicy, onStep }: IterationPanelProps) {
  const one = iterations[index]!;
  const noise = noiseOf(one);
  const selected = one.candidates.find((candidate) => candidate.label === label);
  const reference = selected ? referenceOf(iterations, index, selected.label) : null;
  const title = `Iteration ${one.iteration}`;
  return (
    <Panel
      title={title}
      actions={
        <div class="row">
          <button type="button" disabled={index === 0} onClick={() => onStep(-1)} title="Previous iteration (k)">
            <span aria-hidden="true">←</span>
            <span class="visually-hidden">Previous iteration</span>
          </button>
          <button
            type="button"
            disabled={index === iterations.length - 1}
            onClick={() => onStep(1)}
            title="Next iteration (j)"
          >
            <span aria-hidden="true">→</span>
            <span class="visually-hidden">Next iteration</span>
          </button>
        </div>
      }
    >
      <div class="policies">
        {one.candidates.map((candidate, i) => (
          <div class="policies-step" key={candidate.label}>
            {i > 0 && (
              <span class="policies-arrow" aria-hidden="true">
                →
              </span>
            )}
            <PolicyCard
              candidate={candidate}
              isKept={candidate.label === one.kept}
              isSelected={candidate.label === label}
              call={callOf(one, calls, candidate.label)}
              onSelect={() => onPolicy(candidate.label)}
            />
          </div>
        ))}
      </div>
      <p class="iteration-why">{one.why}</p>
      {noise && <NoiseLine noise={noise} />}
      {reference && selected && (
        <p class="quiet">
          The {selected.label} is compared with {reference.name}.
        </p>
      )}
      {selected && selected.adjustments.length > 0 && (
        <p class="quiet">Changed when it was read: {selected.adjustments.join('; ')}</p>
      )}
      {one.generation && one.generation.length > 1 && <Generation means={one.generation} />}
    </Panel>
  );
}

function Generation({ means }: { means: readonly (number | null)[] }) {
  const known = means.filter((mean) => mean !== null).sort((a, b) => a - b);
  const middle = known[Math.floor(known.length / 2)];
  return (
    <p class="quiet">
      Generation of {countText(means.length)} policies: lowest mean {numberText(known[0])}, middle {numberText(middle)},
      highest {numberText(known.at(-1))}.
    </p>
  );
}
