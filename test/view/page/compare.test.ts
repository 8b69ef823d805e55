import { describe, expect, it } from 'vitest';
import { spreadText as reportText } from '../../../src/report/report.ts';
import {
  panelCurves,
  type Spread,
  type Step,
  spreadText,
  valueCounts,
} from '../../../src/view/page/compare/document.ts';

const step = (x: number, mean: number): Step => ({ x, mean, low: mean - 1, high: mean + 1, runs: 5 });

describe('a comparison on the page', () => {
  it('writes rewards with the digits of the report', () => {
    const spreads: Spread[] = [
      { runs: 10, mean: 251.43721, std: 13.1234, ci95: [242.049, 260.825], min: 230, max: 270 },
      { runs: 1, mean: -0.0123456, std: null, ci95: null, min: -0.0123456, max: -0.0123456 },
      { runs: 4, mean: 500, std: 0, ci95: [500, 500], min: 500, max: 500 },
      { runs: 6, mean: -180.5, std: 24.3, ci95: [-206.0, -155.0], min: -220, max: -150 },
    ];
    for (const spread of spreads) {
      const { value, interval } = spreadText(spread);
      expect(`${value} ${interval}`.trim().replaceAll('−', '-')).toBe(reportText(spread));
    }
  });

  it('draws lines of different x with the values that each has there, and none behind its end', () => {
    const [panel, other] = panelCurves([
      { panel: 'CartPole-v1', line: 'r2po', steps: [step(10, 1), step(30, 3)] },
      { panel: 'CartPole-v1', line: 'props', steps: [step(20, 7), step(40, 9)] },
      { panel: 'Acrobot-v1', line: 'r2po', steps: [] },
    ]);
    expect(panel!.x).toEqual([10, 20, 30, 40]);
    expect(panel!.lines.map(({ mean }) => mean)).toEqual([
      [1, 1, 3, null],
      [null, 7, 7, 9],
    ]);
    expect(panel!.lines[0]!.low).toEqual([0, 0, 2, null]);
    expect(other).toEqual({ panel: 'Acrobot-v1', x: [], lines: [] });
  });

  it('counts the values of a key', () => {
    expect(valueCounts(['b', 'a', 'b'])).toEqual([
      { value: 'b', count: 2 },
      { value: 'a', count: 1 },
    ]);
  });
});
