import { isDeepStrictEqual } from 'node:util';
import { fieldManager } from '../../../../src/cluster/field-owners.ts';
import { customise } from '../../../../src/config/customise.ts';
import { parseRegistration } from '../../../../src/config/load.ts';
import { presetText } from '../../../../src/config/presets.ts';
import { manifestsToRegister } from '../../../../src/manifests/render.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { anchorsIn } from '../../../../src/pki/anchors.ts';
import { PrivateKey } from '../../../../src/pki/private-key.ts';
import type { Issued } from '../../../../src/pki/types.ts';
import { makeCa, makeLeaf, pair, pem } from '../../harness/certificates.ts';
import type { Answer } from '../client.ts';
import type { Step } from '../step.ts';
import { namespace } from '../world.ts';
import { apply, pathOf } from './apply.ts';

/** Manifests of presets, applied as apisvc does. */

const ca = await makeCa('applied CA');
const { certificates, key } = pair(await makeLeaf('api.example.svc', ca));
const issued: Issued = { chain: certificates, key: new PrivateKey(key), anchors: anchorsIn(pem(ca), 'current') };

/** The manifests of a preset, in the namespace of the steps. */
function manifests(preset: 'sample-apiserver' | 'metrics-server', name: string): readonly KubeObject[] {
  const apis = [{ group: `${name}.example.com`, version: 'v1' }];
  const text = customise(presetText(preset), { name, namespace, service: name, apis });
  return manifestsToRegister(parseRegistration(text, 'apisvc.yaml'), issued).map(({ object }) => object);
}

/** Applies everything twice; the second time nothing changes. */
const registering = (preset: 'sample-apiserver' | 'metrics-server'): Step => ({
  name: `apply-${preset}`,
  run: async (world) => {
    const results: Record<string, unknown> = {};
    for (const object of manifests(preset, world.name)) {
      const { kind, metadata } = object;
      if (kind === 'Namespace') continue;
      if (metadata.namespace !== namespace) world.afterwards(pathOf(object));
      const dry = await apply(world, object, fieldManager, '&dryRun=All');
      const first = await apply(world, object);
      const second = await apply(world, object);
      const shown = kind === 'Deployment' ? withoutPods(first) : first;
      results[`${kind} ${metadata.name}`] = {
        dry: dry.status,
        first: shown,
        second: second.status,
        same: isDeepStrictEqual(ownOf(first), ownOf(second)),
      };
    }
    return results;
  },
});

/** Without pod templates, whose defaults have their own step. */
function withoutPods(answer: Answer): Answer {
  // biome-ignore lint/suspicious/noExplicitAny: JSON.
  const { spec, ...object } = answer.body as any;
  const { template: _, ...others } = spec;
  return { ...answer, body: { ...object, spec: others } };
}

/** The paths that an answer has and the applied object does not. */
function added(answer: unknown, applied: unknown, path = ''): string[] {
  if (applied === undefined) return [path];
  if (typeof answer !== 'object' || answer === null || typeof applied !== 'object' || applied === null) return [];
  const held = applied as Readonly<Record<string, unknown>>;
  return Object.entries(answer).flatMap(([key, value]) => added(value, held[key], path === '' ? key : `${path}.${key}`));
}

/** What only apisvc changes: controllers may write in between. */
function ownOf({ body }: Answer): object {
  // biome-ignore lint/suspicious/noExplicitAny: JSON.
  const { generation, managedFields } = (body as any).metadata;
  return { generation, own: managedFields.filter(({ manager }: { manager: string }) => manager === fieldManager) };
}

/** Paths below the spec of a Deployment. */
const podDefaults = [
  'containers.0.imagePullPolicy',
  'containers.0.readinessProbe.failureThreshold',
  'containers.0.readinessProbe.httpGet.path',
  'containers.0.readinessProbe.httpGet.scheme',
  'containers.0.readinessProbe.periodSeconds',
  'containers.0.readinessProbe.successThreshold',
  'containers.0.readinessProbe.timeoutSeconds',
  'containers.0.resources',
  'containers.0.terminationMessagePath',
  'containers.0.terminationMessagePolicy',
  'dnsPolicy',
  'restartPolicy',
  'schedulerName',
  'securityContext',
  'terminationGracePeriodSeconds',
];

export const projects: readonly Step[] = [
  registering('sample-apiserver'),
  registering('metrics-server'),
  {
    name: 'apply-pod-defaults',
    run: async (world) => {
      const { name } = world;
      const probe = { httpGet: { port: 1 } };
      const template = {
        metadata: { labels: { a: 'b' } },
        spec: { containers: [{ name: 'server', image: 'server:1', ports: [{ containerPort: 1 }], readinessProbe: probe }] },
      };
      const spec = { replicas: 0, selector: { matchLabels: { a: 'b' } }, template };
      const { body } = await apply(world, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec });
      const filledIn = added((body as { spec: object }).spec, spec).toSorted();
      const inPods = 'template.spec.';
      return {
        deployment: filledIn.filter((path) => !path.startsWith(inPods)),
        pods: filledIn.filter((path) => path.startsWith(inPods)).map((path) => path.slice(inPods.length)),
      };
    },
    differs: [
      {
        reason: 'whatever runs the containers of a Pod in the sandbox has no use for the defaults, but for those that are keys',
        at: 'pods',
        real: [...podDefaults, 'containers.0.ports.0.protocol'].toSorted(),
        simulated: ['containers.0.ports.0.protocol'],
      },
    ],
  },
];
