export interface ReleaseStep {
  readonly number: number;
  readonly command: string;
  readonly code: number;
  readonly seen: string;
}
export function stepsOf(page: string): ReleaseStep[];
export function runStep(step: ReleaseStep, folder: string, path: readonly string[]): string | null;
