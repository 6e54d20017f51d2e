import { posix } from 'node:path';
import template from '../../templates/manifests/deployment.yaml';
import { parseArguments } from '../config/arguments.ts';
import { defaultPort } from '../config/contradictions.ts';
import { mergePatch } from '../config/merge-patch.ts';
import { hasServingSecret, responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { type Edits, templateDefault } from './template.ts';

type Plain = Record<string, unknown>;
type Server = Registration['spec']['server'];

const probeActions = ['httpGet', 'tcpSocket', 'exec', 'grpc'];

const hardenedContext = templateDefault(template, 'spec.template.spec.containers.0.securityContext');

const hardenedUnder = (own: Plain | undefined): Plain => mergePatch(hardenedContext, own ?? {});

/**
 * kube-apiserver drops the empty value of an environment variable, and `kubectl apply` would write
 * it on every run.
 */
const withoutEmptyValue = (variable: Plain): Plain =>
  Object.fromEntries(Object.entries(variable).filter(([key, value]) => key !== 'value' || value !== ''));

/** Adds the hardened security context to a container of the user, where it sets nothing else. */
export const hardened = (container: Plain): Plain => ({
  ...container,
  ...(Array.isArray(container.env) ? { env: container.env.map(withoutEmptyValue) } : {}),
  securityContext: hardenedUnder(container.securityContext as Plain | undefined),
});

/**
 * The certificate flags of a server built on k8s.io/apiserver
 * (apiserver/pkg/server/options/serving.go).
 */
export function certificateFlags(registration: Registration): string[] {
  const { flags, mountPath, files } = registration.spec.certificates;
  if (flags === 'none' || !hasServingSecret(registration)) return [];
  const pairs = [
    ['--tls-cert-file', posix.join(mountPath, files.cert)],
    ['--tls-private-key-file', posix.join(mountPath, files.key)],
  ];
  return flags === 'equals' ? pairs.map((pair) => pair.join('=')) : pairs.flat();
}

/**
 * Whether the server makes its own certificate, and needs a directory for it, because its root file
 * system is read-only (k8s.io/apiserver/pkg/server/options/serving.go,
 * MaybeDefaultWithSelfSignedCerts).
 */
export function makesCertificate(registration: Registration): boolean {
  const { server, certificates } = registration.spec;
  const given = parseArguments([...(server.command ?? []), ...(server.args ?? [])]);
  const named = given.some(({ flag = '' }) => ['cert-dir', 'tls-cert-file'].includes(flag.replaceAll('_', '-')));
  return responsibilitiesOf(registration).secret === 'nobody' && certificates.flags !== 'none' && !named;
}

function directoryFlag(registration: Registration): string[] {
  const { flags, mountPath } = registration.spec.certificates;
  if (!makesCertificate(registration)) return [];
  return flags === 'equals' ? [`--cert-dir=${mountPath}`] : ['--cert-dir', mountPath];
}

const { httpGet: _, ...readinessTimes } = templateDefault(template, 'spec.template.spec.containers.0.readinessProbe');

/** An HTTPS probe of the server's port, unless the configuration sets another action or none. */
function probe(configured: Plain | false, defaultPath: string, defaults: Plain = {}): Plain | undefined {
  if (configured === false) return undefined;
  const { path = defaultPath, ...fields } = configured;
  if (probeActions.some((action) => action in fields)) return fields;
  return { httpGet: { path, port: 'https', scheme: 'HTTPS' }, ...defaults, ...fields };
}

const sleepSeconds = Number(templateDefault(template, 'spec.template.spec.containers.0.lifecycle.preStop.sleep').seconds);

/** The default of Kubernetes for terminationGracePeriodSeconds. */
const defaultGraceSeconds = 30;

/**
 * The hooks of the container. By default, the server stops some seconds after the deletion of its
 * pod. With the strategy Recreate, no other pod serves the API meanwhile, so it stops at once.
 * kube-apiserver rejects a sleep that is longer than the grace period (validateSleepAction in
 * k8s.io/kubernetes/pkg/apis/core/validation), and the server needs time after it.
 */
function lifecycleEdits({ lifecycle, strategy, terminationGracePeriodSeconds: grace = defaultGraceSeconds }: Server): Edits {
  if (lifecycle !== undefined) return { lifecycle };
  const seconds = Math.min(sleepSeconds, Math.floor(grace / 2));
  return strategy?.type === 'Recreate' || seconds === 0 ? { lifecycle: undefined } : { 'lifecycle.preStop.sleep.seconds': seconds };
}

/** Mounts the Secret, or the directory for the certificate of the server. */
function mountEdits(registration: Registration): Edits {
  const { server, certificates } = registration.spec;
  const { volumeMounts = [] } = server;
  const isWritten = makesCertificate(registration);
  if (!isWritten && !hasServingSecret(registration)) return { volumeMounts };
  return {
    'volumeMounts.0.mountPath': certificates.mountPath,
    ...(isWritten ? { 'volumeMounts.0.readOnly': undefined } : {}),
    ...Object.fromEntries(volumeMounts.map((mount, index) => [`volumeMounts.${index + 1}`, mount])),
  };
}

/** The edits that turn the template's container into that of this server, by path. */
export function containerEdits(registration: Registration): Edits {
  const { metadata, spec } = registration;
  const { server } = spec;
  const { startup = false, liveness = {}, readiness = {} } = server.probes ?? {};
  return {
    name: metadata.name,
    image: server.image,
    imagePullPolicy: server.imagePullPolicy,
    command: server.command,
    args: [...(server.args ?? []), ...certificateFlags(registration), ...directoryFlag(registration)],
    env: server.env?.map(withoutEmptyValue),
    'ports.0.containerPort': server.port ?? defaultPort,
    ...Object.fromEntries((server.extraPorts ?? []).map((port, index) => [`ports.${index + 1}`, port])),
    startupProbe: probe(startup, '/livez'),
    livenessProbe: probe(liveness, '/livez'),
    readinessProbe: probe(readiness, '/readyz', readinessTimes),
    ...lifecycleEdits(server),
    ...(server.resources === undefined ? {} : { resources: server.resources }),
    securityContext: hardenedUnder(server.securityContext),
    ...mountEdits(registration),
  };
}
