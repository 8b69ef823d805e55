/** The numbers of Nim, with units and sources, and what follows from them. */
import type { ParamsOf } from '../env.ts';

const source = 'Nim-v0 of HWUDLabAIRoboticsResearch/R2PO at commit 9449c38';
const sticks = 10;

export const constants = {
  sticks: { value: sticks, unit: 'sticks at the start', source, allowed: 'fixed' },
  mostTaken: { value: 3, unit: 'sticks', source, allowed: 'fixed' },
} as const;

export const derive = () => ({});

export type NimParams = ParamsOf<typeof constants, typeof derive>;
