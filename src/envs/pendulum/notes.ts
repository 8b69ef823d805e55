import type { Notes } from '../notes.ts';

const weakMotor = 'A motor at the hinge turns it, too weak to lift it at\nonce from hanging straight down.';
const strongMotor = 'A motor at the hinge turns it, strong enough to lift it\nfrom hanging straight down.';

export const notes: Notes = ({ params: { gravity, mass, length, maxTorque } }) => {
  /** torque of gravity on the level rod, N m */
  const pull = (gravity! * mass! * length!) / 2;
  return { motor: pull > maxTorque! ? weakMotor : strongMotor };
};
