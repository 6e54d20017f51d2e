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
import { expectFindings, type Fault, of, type PerVersion } from '../laboratory/expect-findings.ts';
import { sound } from '../laboratory/hand-made.ts';

/**
 * Faults of the control plane itself: each needs a kube-apiserver that was started in another way
 * than all others, and so one of its own.
 */

const versions: readonly KubernetesVersion[] = ['1.37', '1.35'];
const namespace = 'control-planes';

/** A control plane of a spec's own, without a node. */
export interface ControlPlane extends Cluster {
  /** The host's end of its cable, where kube-apiserver reaches servers of the spec. */
  readonly host: string;
  /** Trusted by the registrations that `register` makes. */
  readonly ca: Made;
  /** Stops something before the control plane ends. */
  keep<T extends Pick<Backend, 'stop'>>(started: T): T;
  /** Creates objects as the administrator. */
  create(...items: readonly object[]): Promise<void>;
  /**
   * Registers a server by hand, a sound one on the host unless a part is replaced.
   * @returns the name of the APIService
   */
  register(service: string, change?: Partial<HandMade>, without?: 'slice'): Promise<string>;
}

export interface ControlPlaneFault extends Fault {
  /** Breaks it. @returns the name of the APIService to look at */
  readonly make: (controlPlane: ControlPlane) => Promise<string>;
  /**
   * What the evidence of the first finding says, in the words of kube-apiserver as far as it has
   * any.
   */
  readonly evidence: PerVersion<RegExp>;
}

/** How a control plane is started; without further words as all others are. */
export type Otherwise = Partial<Pick<Variant, 'aggregatorRouting' | 'apiserver'>>;

/**
 * Starts a control plane of this kind on each version of Kubernetes, breaks it in all these ways at
 * once, and looks at them one by one.
 */
export function describeControlPlane(kind: string, otherwise: Otherwise, faults: readonly ControlPlaneFault[]): void {
  describe(kind, () => {
    const cases = versions.flatMap((kubernetes) => faults.map((fault) => ({ kubernetes, ...fault })));
    const started = new Map<KubernetesVersion, ControlPlane>();
    const names = new Map<string, string>();
    const ends: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      const starting = versions.map((kubernetes) => startOtherwise(kubernetes, otherwise, ends));
      for (const controlPlane of await allStarted(starting)) started.set(controlPlane.cell.kubernetes, controlPlane);
      const making = cases.map(async ({ kubernetes, name, make }) =>
        names.set(`${kubernetes} ${name}`, await make(started.get(kubernetes) as ControlPlane)),
      );
      await Promise.all(making);
    });

    afterAll(async () => {
      const [fault] = await runAllSteps(...ends.toReversed());
      if (fault) throw fault;
    });

    test.each(cases)('$name on $kubernetes: $codes', async ({ kubernetes, make: _, evidence, ...fault }) => {
      const { kubeconfig } = started.get(kubernetes) as ControlPlane;
      const looking = { kubernetes, env: { KUBECONFIG: kubeconfig }, withinMs: 30_000 };
      const { findings } = await expectFindings(fault, names.get(`${kubernetes} ${fault.name}`) as string, looking);
      expect(findings[0]?.evidence.join('\n')).toMatch(of(evidence, kubernetes));
    });
  });
}

/** What still starts when another fails must have started before it can be ended. */
async function allStarted<T>(starting: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

/** Starts one, whose end is put to the others. */
async function startOtherwise(kubernetes: KubernetesVersion, otherwise: Otherwise, ends: (() => Promise<void>)[]): Promise<ControlPlane> {
  const { cluster, stop } = await startRun({ kubernetes, aggregatorRouting: true, node: false, ...otherwise });
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
    const { port } = keep(await serveHttps(pair(leaf), sound(service), 0, host));
    const { slice, ...others } = handMade({ namespace, service, ca: pem(ca), host, port, ...change });
    await create(...Object.values(others), ...(without ? [] : [slice]));
    return apiServiceNameOf(service);
  };
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return { ...cluster, host, ca, keep, create, register };
}
