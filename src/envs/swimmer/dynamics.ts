/**
 * Three links in a thick fluid, driven by two joints, in float64, in closed form. MuJoCo integrates it with four
 * Runge-Kutta steps per step.
 *
 * The headings of the links (sums of the joint angles) and the position of the first link's frame make the equations short:
 * the centre of link k lies at the frame plus levers times the directions of the links, and once the position is
 * eliminated the mass matrix of the headings is constants times cosines of their differences.
 * Source: gymnasium/envs/mujoco/swimmer_v5.py and assets/swimmer.xml; the fluid is MuJoCo 3.14's inertia-box model.
 */
import type { Dynamics } from '../env.ts';
import { fillLimitRow, limitedPair, limitRow, rungeKutta } from '../mujoco.ts';
import type { SwimmerParams } from './constants.ts';

const row1 = limitRow();
const row2 = limitRow();
const pair = { first: 0, second: 0 };

const clip = (value: number, limit: number): number => Math.min(Math.max(value, -limit), limit);

const integrator = rungeKutta<SwimmerParams>(5, (p, stage, control, acceleration) => {
  const theta2 = stage[3]!;
  const theta3 = stage[4]!;
  const heading1 = stage[2]!;
  const heading2 = heading1 + theta2;
  const heading3 = heading2 + theta3;
  const xDot = stage[5]!;
  const yDot = stage[6]!;
  const spin1 = stage[7]!;
  const spin2 = spin1 + stage[8]!;
  const spin3 = spin2 + stage[9]!;
  // Directions of the links; the direction in which heading i turns a point is (-sin i, cos i).
  const cos1 = Math.cos(heading1);
  const sin1 = Math.sin(heading1);
  const cos2 = Math.cos(heading2);
  const sin2 = Math.sin(heading2);
  const cos3 = Math.cos(heading3);
  const sin3 = Math.sin(heading3);

  // Velocity of each centre: joints on the way add up.
  const joint1X = xDot - p.torsoEnd * spin1 * sin1;
  const joint1Y = yDot + p.torsoEnd * spin1 * cos1;
  const joint2X = joint1X + p.linkLength * spin2 * sin2;
  const joint2Y = joint1Y - p.linkLength * spin2 * cos2;
  const v1X = xDot - p.torsoCentre * spin1 * sin1;
  const v1Y = yDot + p.torsoCentre * spin1 * cos1;
  const v2X = joint1X + p.linkCentre * spin2 * sin2;
  const v2Y = joint1Y - p.linkCentre * spin2 * cos2;
  const v3X = joint2X + p.linkCentre * spin3 * sin3;
  const v3Y = joint2Y - p.linkCentre * spin3 * cos3;

  // The fluid brakes each link along its axis, across it, and its spin.
  const along1 = v1X * cos1 + v1Y * sin1;
  const across1 = v1Y * cos1 - v1X * sin1;
  const along2 = v2X * cos2 + v2Y * sin2;
  const across2 = v2Y * cos2 - v2X * sin2;
  const along3 = v3X * cos3 + v3Y * sin3;
  const across3 = v3Y * cos3 - v3X * sin3;
  const drag1 = -(p.linearDrag + p.axialDrag * Math.abs(along1)) * along1;
  const lift1 = -(p.linearDrag + p.lateralDrag * Math.abs(across1)) * across1;
  const drag2 = -(p.linearDrag + p.axialDrag * Math.abs(along2)) * along2;
  const lift2 = -(p.linearDrag + p.lateralDrag * Math.abs(across2)) * across2;
  const drag3 = -(p.linearDrag + p.axialDrag * Math.abs(along3)) * along3;
  const lift3 = -(p.linearDrag + p.lateralDrag * Math.abs(across3)) * across3;
  const f1X = drag1 * cos1 - lift1 * sin1;
  const f1Y = drag1 * sin1 + lift1 * cos1;
  const f2X = drag2 * cos2 - lift2 * sin2;
  const f2Y = drag2 * sin2 + lift2 * cos2;
  const f3X = drag3 * cos3 - lift3 * sin3;
  const f3Y = drag3 * sin3 + lift3 * cos3;
  const forceX = f1X + f2X + f3X;
  const forceY = f1Y + f2Y + f3Y;

  // Cosines and sines of the differences of headings.
  const cos12 = cos1 * cos2 + sin1 * sin2;
  const cos13 = cos1 * cos3 + sin1 * sin3;
  const cos23 = cos2 * cos3 + sin2 * sin3;
  const swing12 = p.coupling12 * (sin1 * cos2 - cos1 * sin2);
  const swing13 = p.coupling13 * (sin1 * cos3 - cos1 * sin3);
  const swing23 = p.coupling23 * (sin2 * cos3 - cos2 * sin3);
  const turning1 = spin1 * spin1;
  const turning2 = spin2 * spin2;
  const turning3 = spin3 * spin3;

  // Drive of each heading: the forces on its levers less what the frame gives way, the fluid's torque, the inertia.
  const yield1 = p.moment1 / p.totalMass;
  const yield2 = p.moment2 / p.totalMass;
  const yield3 = p.moment3 / p.totalMass;
  const lever1X = p.torsoCentre * f1X + p.torsoEnd * (f2X + f3X) - yield1 * forceX;
  const lever1Y = p.torsoCentre * f1Y + p.torsoEnd * (f2Y + f3Y) - yield1 * forceY;
  const lever2X = -p.linkCentre * f2X - p.linkLength * f3X - yield2 * forceX;
  const lever2Y = -p.linkCentre * f2Y - p.linkLength * f3Y - yield2 * forceY;
  const lever3X = -p.linkCentre * f3X - yield3 * forceX;
  const lever3Y = -p.linkCentre * f3Y - yield3 * forceY;
  const drive1 =
    lever1Y * cos1 -
    lever1X * sin1 -
    (p.angularDrag + p.spinDrag * Math.abs(spin1)) * spin1 -
    swing12 * turning2 -
    swing13 * turning3;
  const drive2 =
    lever2Y * cos2 -
    lever2X * sin2 -
    (p.angularDrag + p.spinDrag * Math.abs(spin2)) * spin2 +
    swing12 * turning1 -
    swing23 * turning3;
  const drive3 =
    lever3Y * cos3 -
    lever3X * sin3 -
    (p.angularDrag + p.spinDrag * Math.abs(spin3)) * spin3 +
    swing13 * turning1 +
    swing23 * turning2;

  // From headings to joint angles: a joint turns all links behind it.
  const m12 = p.coupling12 * cos12;
  const m13 = p.coupling13 * cos13;
  const m23 = p.coupling23 * cos23;
  const c33 = p.inertia33 + p.armature;
  const c23 = m23 + p.inertia33;
  const behind = p.inertia22 + m23 + c23;
  const c22 = behind + p.armature;
  const c13 = m13 + c23;
  const c12 = m12 + m13 + behind;
  const c11 = p.inertia11 + m12 + m13 + c12 + p.armature;
  const joint2Drive = drive2 + drive3;
  const joint1Drive = drive1 + joint2Drive;
  const motor1 = p.gear * clip(control[0]!, p.controlLimit);
  const motor2 = p.gear * clip(control[1]!, p.controlLimit);

  // The torso's angle eliminated, the two joints are left, with their stops.
  const share2 = c12 / c11;
  const share3 = c13 / c11;
  fillLimitRow(row1, p, theta2, stage[8]!, -p.jointLimit, p.jointLimit, p.limitMargin, p.joint1InverseWeight);
  fillLimitRow(row2, p, theta3, stage[9]!, -p.jointLimit, p.jointLimit, p.limitMargin, p.joint2InverseWeight);
  limitedPair(
    pair,
    c22 - share2 * c12,
    c23 - share2 * c13,
    c33 - share3 * c13,
    joint2Drive + motor1 - share2 * joint1Drive,
    drive3 + motor2 - share3 * joint1Drive,
    row1,
    row2,
  );
  const turn1 = joint1Drive / c11 - share2 * pair.first - share3 * pair.second;
  const turn2 = turn1 + pair.first;
  const turn3 = turn2 + pair.second;
  acceleration[0] =
    forceX / p.totalMass +
    yield1 * (cos1 * turning1 + sin1 * turn1) +
    yield2 * (cos2 * turning2 + sin2 * turn2) +
    yield3 * (cos3 * turning3 + sin3 * turn3);
  acceleration[1] =
    forceY / p.totalMass +
    yield1 * (sin1 * turning1 - cos1 * turn1) +
    yield2 * (sin2 * turning2 - cos2 * turn2) +
    yield3 * (sin3 * turning3 - cos3 * turn3);
  acceleration[2] = turn1;
  acceleration[3] = pair.first;
  acceleration[4] = pair.second;
});

/**
 * state: x, y [m], theta1, theta2, theta3 [rad], x_dot, y_dot [m/s], theta1_dot, theta2_dot, theta3_dot [rad/s]; the
 * observation leaves out x and y.
 */
export const dynamics: Dynamics<SwimmerParams> = {
  reset(p, rng, state) {
    for (let i = 0; i < 10; i++) state[i] = rng.uniform(p.resetLow, p.resetHigh);
  },

  observe(_p, state, observation) {
    for (let i = 0; i < 8; i++) observation[i] = state[i + 2]!;
  },

  step(p, state, action, _rng, out) {
    const before = state[0]!;
    for (let i = 0; i < p.substeps; i++) integrator.advance(p, state, action);
    // The cost is that of the action as given; the motors cut it.
    const cost = p.controlCost * (action[0]! * action[0]! + action[1]! * action[1]!);
    out.reward = p.forwardReward * ((state[0]! - before) / p.stepTime) - cost;
    out.terminated = false;
  },
};
