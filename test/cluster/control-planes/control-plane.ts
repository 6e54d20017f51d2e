import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Made } from '../../unit/pki/certificates.ts';
import { type Backend, serveHttps } from '../harness/backends.ts';
import type { KubernetesVersion } from '../harness/cells.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { kubectl } from '../harness/commands.ts';
import type { Cluster } from '../harness/provided.ts';
import { apiServiceNameOf, type HandMade, handMade } from '../harness/registrations.ts';
import { startRun, type Variant } from '../harness/run.ts';
import { runAllSteps } from '../harness/run-all-steps.ts';
import { isShort } from '../harness/thorough.ts';
import { expectFindings, type Fault, type PerVersion, valueFor } from '../laboratory/expect-findings.ts';
import { validReply } from '../laboratory/hand-made.ts';

/**
 * Faults of the control plane itself. Each needs a separate kube-apiserver with other flags.
 */

/** None of the findings depends on the version. */
const versions: readonly KubernetesVersion[] = isShort ? ['1.37'] : ['1.37', '1.35'];
const namespace = 'control-planes';

/** A separate control plane, without a node. */
export interface ControlPlane extends Cluster {
  /** The address of the host in its network, where kube-apiserver reaches the servers of a spec. */
  readonly host: string;
  /** The CA in the caBundle of `register`. */
  readonly ca: Made;
  /** Stops a server before the control plane stops. */
  keep<T extends Pick<Backend, 'stop'>>(started: T): T;
  /** Creates objects as an administrator. */
  create(...items: readonly object[]): Promise<void>;
  /**
   * Registers a server on the host, by default a valid one.
   * @returns the name of the APIService
   */
  register(service: string, change?: Partial<HandMade>, without?: 'slice'): Promise<string>;
}

export interface ControlPlaneFault extends Fault {
  /** Breaks the control plane. @returns the name of the APIService to verify */
  readonly make: (controlPlane: ControlPlane) => Promise<string>;
  /** Matches the evidence of the first finding. */
  readonly evidence: PerVersion<RegExp>;
}

/** How the control plane differs from others. */
export type ControlPlaneVariant = Partial<Pick<Variant, 'aggregatorRouting' | 'apiserver'>>;

/**
 * Starts a control plane for each version, creates all faults at once, and verifies them one by
 * one.
 */
export function describeControlPlane(kind: string, variant: ControlPlaneVariant, faults: readonly ControlPlaneFault[]): void {
  describe(kind, () => {
    const cases = versions.flatMap((kubernetes) => faults.map((fault) => ({ kubernetes, ...fault })));
    const started = new Map<KubernetesVersion, ControlPlane>();
    const names = new Map<string, string>();
    const ends: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      const starting = versions.map((kubernetes) => startControlPlane(kubernetes, variant, ends));
      for (const controlPlane of await waitForAll(starting)) started.set(controlPlane.cell.kubernetes, controlPlane);
      const making = cases.map(async ({ kubernetes, name, make }) =>
        names.set(`${kubernetes} ${name}`, await make(started.get(kubernetes) as ControlPlane)),
      );
      await Promise.all(making);
    });

    afterAll(async () => {
      const [fault] = await runAllSteps(...ends.toReversed());
      if (fault) throw fault;
    });

    test.each(cases)('$name on $kubernetes: $codes', async ({ kubernetes, make: _, evidence: pattern, ...fault }) => {
      const { kubeconfig } = started.get(kubernetes) as ControlPlane;
      const options = { kubernetes, env: { KUBECONFIG: kubeconfig }, withinMs: 90_000, evidence: valueFor(pattern, kubernetes) };
      await expectFindings(fault, names.get(`${kubernetes} ${fault.name}`) as string, options);
    });
  });
}

/** Waits for all to start, also if one fails, so that all can be stopped. */
async function waitForAll<T>(starting: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

/** Starts a control plane, and adds its stop function to `ends`. */
async function startControlPlane(
  kubernetes: KubernetesVersion,
  variant: ControlPlaneVariant,
  ends: (() => Promise<void>)[],
): Promise<ControlPlane> {
  const { cluster, stop } = await startRun({ kubernetes, aggregatorRouting: true, node: false, ...variant });
  ends.push(() => stop(false));
  const keep: ControlPlane['keep'] = (part) => {
    ends.push(() => part.stop());
    return part;
  };
  const host = cluster.network.hostAddress;
  const ca = await makeCa('control planes CA');
  const create: ControlPlane['create'] = async (...items) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const { exitCode, stderr } = await kubectl(['create', '-f', '-'], { input, kubeconfig: cluster.kubeconfig });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  };
  const register: ControlPlane['register'] = async (service, change = {}, without) => {
    const leaf = await makeLeaf(`${service}.${namespace}.svc`, ca);
    const { port } = keep(await serveHttps(pair(leaf), validReply(service), 0, host));
    const { slice, ...others } = handMade({ namespace, service, ca: pem(ca), host, port, ...change });
    await create(...Object.values(others), ...(without ? [] : [slice]));
    return apiServiceNameOf(service);
  };
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return { ...cluster, host, ca, keep, create, register };
}
