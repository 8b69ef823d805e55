import { defineMethod } from './method.ts';
import { r2po } from './r2po.ts';

/** The same texts as R2PO in each of its settings: the threshold alone differs (`critic.conservative_threshold`). */
export const tauC = defineMethod({
  ...r2po,
  id: 'tau-c',
  title: 'R2PO with another conservative threshold',
  about:
    'From the threshold on, the critic is told to change little or nothing: as configured, half of that, or never.',
});
