/** Real MuJoCo, compiled to WebAssembly, stepping models that are written from the environments' own numbers. */
import loadMujoco from '@mujoco/mujoco';
import type { Env, Params } from '../../src/envs/env.ts';

const mujoco = await loadMujoco();
export const mujocoVersion = String(mujoco.mj_versionString());

const noContacts = 'contype="0" conaffinity="0"';

function option(p: Params, attributes: string, tolerance: number | null): string {
  const exact = tolerance === null ? '' : `tolerance="${tolerance}"`;
  return `<compiler angle="radian"/><option integrator="RK4" timestep="${p.timeStep}" ${attributes} ${exact}/>`;
}

/** Attributes of a joint with stops at -limit and limit. */
function stops(p: Params, limit: number, margin: number): string {
  const solver = [p.impedanceLow, p.impedanceHigh, p.impedanceWidth, p.impedanceMidpoint, 2].join(' ');
  return (
    `limited="true" range="${-limit} ${limit}" margin="${margin}" ` +
    `solreflimit="${p.limitTimeConstant} ${p.limitDampingRatio}" solimplimit="${solver}"`
  );
}

function motor(p: Params, joint: string): string {
  const range = `ctrllimited="true" ctrlrange="${-p.controlLimit!} ${p.controlLimit}"`;
  return `<motor joint="${joint}" gear="${p.gear}" ${range}/>`;
}

const link = (density: number, radius: number, ends: string): string =>
  `<geom type="capsule" fromto="${ends}" size="${radius}" density="${density}" ${noContacts}/>`;

const cart = (p: Params): string =>
  link(p.density!, p.cartRadius!, `${-p.cartHalfLength!} 0 0 ${p.cartHalfLength} 0 0`);

/** The model of each environment, in MuJoCo's own language. */
const models: Readonly<Record<string, (p: Params, tolerance: number | null) => string>> = {
  'InvertedPendulum-v5': (p, tolerance) => `<mujoco>
    ${option(p, `gravity="0 0 ${-p.gravity!}"`, tolerance)}
    <worldbody><body>
      <joint name="rail" type="slide" axis="1 0 0" damping="${p.damping}" ${stops(p, p.railLimit!, p.limitMargin!)}/>
      ${cart(p)}
      <body>
        <joint type="hinge" axis="0 1 0" damping="${p.damping}" ${stops(p, p.hingeLimit!, p.limitMargin!)}/>
        ${link(p.density!, p.poleRadius!, `0 0 0 ${p.poleEndX} 0 ${p.poleEndZ}`)}
      </body>
    </body></worldbody>
    <actuator>${motor(p, 'rail')}</actuator></mujoco>`,
  'InvertedDoublePendulum-v5': (p, tolerance) => `<mujoco>
    ${option(p, `gravity="${p.sideGravity} 0 ${-p.gravity!}"`, tolerance)}
    <worldbody><body>
      <joint name="rail" type="slide" axis="1 0 0" damping="${p.damping}" ${stops(p, p.railLimit!, p.railMargin!)}/>
      ${cart(p)}
      <body>
        <joint type="hinge" axis="0 1 0" damping="${p.damping}"/>
        ${link(p.density!, p.poleRadius!, `0 0 0 0 0 ${p.poleLength}`)}
        <body pos="0 0 ${p.poleLength}">
          <joint type="hinge" axis="0 1 0" damping="${p.damping}"/>
          ${link(p.density!, p.poleRadius!, `0 0 0 0 0 ${p.poleLength}`)}
          <site pos="0 0 ${p.poleLength}"/>
        </body>
      </body>
    </body></worldbody>
    <actuator>${motor(p, 'rail')}</actuator></mujoco>`,
  'Swimmer-v5': (p, tolerance) => `<mujoco>
    ${option(p, `density="${p.fluidDensity}" viscosity="${p.fluidViscosity}"`, tolerance)}
    <worldbody><body>
      <joint type="slide" axis="1 0 0" armature="${p.armature}"/>
      <joint type="slide" axis="0 1 0" armature="${p.armature}"/>
      <joint type="hinge" axis="0 0 1" armature="${p.armature}"/>
      ${link(p.density!, p.linkRadius!, `${p.torsoEnd! + p.linkLength!} 0 0 ${p.torsoEnd} 0 0`)}
      <body pos="${p.torsoEnd} 0 0">
        <joint name="first" type="hinge" axis="0 0 1" armature="${p.armature}" ${stops(p, p.jointLimit!, p.limitMargin!)}/>
        ${link(p.density!, p.linkRadius!, `0 0 0 ${-p.linkLength!} 0 0`)}
        <body pos="${-p.linkLength!} 0 0">
          <joint name="second" type="hinge" axis="0 0 1" armature="${p.armature}" ${stops(p, p.jointLimit!, p.limitMargin!)}/>
          ${link(p.density!, p.linkRadius!, `0 0 0 ${-p.linkLength!} 0 0`)}
        </body>
      </body>
    </body></worldbody>
    <actuator>${motor(p, 'first')}${motor(p, 'second')}</actuator></mujoco>`,
};

export interface Simulation {
  /** kg, without the world */
  readonly masses: readonly number[];
  /** kg m^2, the greatest of each body */
  readonly inertias: readonly number[];
  /** acceleration per force of each joint at position 0 */
  readonly inverseWeights: readonly number[];
  /** positions then velocities, followed by what MuJoCo shows from its last stage: site x and z, force of the stops */
  read(): number[];
  /** Starts from these positions and velocities. */
  set(state: ArrayLike<number>): void;
  /** One step of the environment; true if a stop acted on a joint in it. */
  step(action: readonly number[]): boolean;
  free(): void;
}

/** `tolerance`: of the constraint solver; null for MuJoCo's own, 1e-8. */
export function simulate(env: Env, tolerance: number | null): Simulation {
  const p = env.params;
  const model = mujoco.MjModel.from_xml_string(models[env.id]!(p, tolerance));
  const data = new mujoco.MjData(model);
  const joints = model.nv;
  const hasSite = model.nsite > 0;
  const numbers = (values: unknown): number[] => Array.from(values as ArrayLike<number>);
  const perBody = numbers(model.body_inertia);
  return {
    masses: numbers(model.body_mass).slice(1),
    inertias: Array.from({ length: model.nbody - 1 }, (_, i) => Math.max(...perBody.slice(3 * i + 3, 3 * i + 6))),
    inverseWeights: numbers(model.dof_invweight0),
    read() {
      const shown = hasSite ? [data.site_xpos[0], data.site_xpos[2], data.qfrc_constraint[0]] : [];
      return [...numbers(data.qpos), ...numbers(data.qvel), ...shown];
    },
    set(state) {
      for (let i = 0; i < joints; i++) {
        data.qpos[i] = state[i];
        data.qvel[i] = state[joints + i];
      }
      mujoco.mj_forward(model, data);
    },
    step(action) {
      action.forEach((value, i) => {
        data.ctrl[i] = value;
      });
      let limited = data.nefc > 0;
      for (let i = 0; i < p.substeps!; i++) {
        mujoco.mj_step(model, data);
        limited ||= data.nefc > 0;
      }
      return limited;
    },
    free() {
      data.delete();
      model.delete();
    },
  };
}
