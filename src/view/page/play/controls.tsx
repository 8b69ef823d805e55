/** Sliders of the parameters of a policy and of the physics constants of an environment. */
import { useState } from 'preact/hooks';
import type { Env } from '../../../envs/env.ts';
import type { Policy } from '../../../policies/policy.ts';
import { numberText } from '../common/format.ts';
import type { Engine } from './load.ts';
import { constantSlider, parameterSlider, type SliderRange } from './slider-range.ts';
import type { Constants } from './subject.ts';

/** More would slow the page down; the rest is shown when it is asked for. */
const shownAtFirst = 40;

interface SliderProps {
  readonly name: string;
  readonly title?: string;
  readonly value: number;
  readonly range: SliderRange;
  readonly onChange: (value: number) => void;
}

/** A slider and a field for the same number; the slider rounds to three digits. */
function Slider({ name, title, value, range, onChange }: SliderProps) {
  return (
    <div class="slider">
      <span class="slider-name" title={title ?? name}>
        {name}
      </span>
      <input
        type="range"
        aria-label={`${name}, slider`}
        {...range}
        value={value}
        onInput={(event) => onChange(Number(event.currentTarget.valueAsNumber.toPrecision(3)))}
      />
      <input
        type="number"
        aria-label={name}
        step="any"
        value={value}
        onChange={(event) => {
          const { valueAsNumber } = event.currentTarget;
          if (Number.isFinite(valueAsNumber)) onChange(valueAsNumber);
        }}
      />
    </div>
  );
}

function ChoiceRow({
  name,
  value,
  values,
  meanings,
  onChange,
}: Omit<SliderProps, 'range'> & { values: readonly number[]; meanings: readonly string[] }) {
  return (
    <label class="slider">
      <span class="slider-name" title={name}>
        {name}
      </span>
      <select value={String(value)} onChange={(event) => onChange(Number(event.currentTarget.value))}>
        {values.map((one) => (
          <option key={one} value={String(one)}>
            {meanings[one] === undefined ? one : `${one}: ${meanings[one]}`}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ParameterControls({
  env,
  policy,
  params,
  onChange,
}: {
  env: Env;
  policy: Policy;
  params: readonly number[];
  onChange: (params: readonly number[]) => void;
}) {
  const [showsAll, setShowsAll] = useState(false);
  const [range] = useState(() => parameterSlider(params));
  const names = showsAll ? policy.paramNames : policy.paramNames.slice(0, shownAtFirst);
  const { values } = policy;
  // A policy that gives the action itself has action numbers as its parameters.
  const meanings = policy.output === 'action' && env.action.kind === 'discrete' ? env.action.meanings : [];
  const change = (index: number) => (value: number) => onChange(params.with(index, value));
  return (
    <div class="sliders">
      {names.map((name, i) =>
        values.kind === 'choice' ? (
          <ChoiceRow
            key={name}
            name={name}
            value={Math.trunc(params[i]!)}
            values={values.values}
            meanings={meanings}
            onChange={change(i)}
          />
        ) : (
          <Slider key={name} name={name} value={params[i]!} range={range} onChange={change(i)} />
        ),
      )}
      {policy.paramCount > names.length && (
        <button type="button" onClick={() => setShowsAll(true)}>
          Show all {policy.paramCount} parameters
        </button>
      )}
    </div>
  );
}

/** `gravity` of `poleHalfLength` -> "pole half length" */
const spaced = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

export function PhysicsControls({
  engine,
  env,
  constants,
  onChange,
}: {
  engine: Engine;
  /** with its own constants */
  env: Env;
  constants: Constants;
  onChange: (constants: Constants) => void;
}) {
  const variable = Object.entries(env.constants).filter(([, constant]) => engine.rangeOf(constant) !== 'fixed');
  if (variable.length === 0) return <p class="quiet">{env.id} has no constant that can be varied.</p>;
  const change = (name: string, value: number): void => {
    const { [name]: _, ...others } = constants;
    onChange(value === env.constants[name]!.value ? others : { ...others, [name]: value });
  };
  return (
    <div class="sliders">
      {variable.map(([name, constant]) => (
        <Slider
          key={name}
          name={`${spaced(name)}${constant.unit === '' || constant.unit === '1' ? '' : ` (${constant.unit})`}`}
          title={`${name} = ${numberText(constant.value, 6)} in ${env.id}; ${constant.source}`}
          value={constants[name] ?? constant.value}
          range={constantSlider(constant.value, engine.rangeOf(constant))}
          onChange={(value) => change(name, value)}
        />
      ))}
      {Object.keys(constants).length > 0 && (
        <button type="button" onClick={() => onChange({})}>
          Back to the constants of {env.id}
        </button>
      )}
    </div>
  );
}
