import { defineMethod } from './method.ts';
import { reptraj } from './reptraj.ts';

/** Ablation: no selection. It is RepTraj without it, not R2PO, as in the reference. */
export const alwaysCritic = defineMethod({
  ...reptraj,
  id: 'always-critic',
  title: 'AlwaysCritic: RepTraj that always keeps the revision',
  about: 'The proposal is played for the critic to see, and never kept, however much better it was.',
  keep: 'revision',
});
