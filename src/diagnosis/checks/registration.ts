import type { ApiServiceView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen, works } from './check.ts';
import { annotationLine, injectorsOf } from './injectors.ts';

/** The APIService object itself. */
export const checkRegistration: Check = (context) => [
  ...checkAccepted(context.api),
  ...checkControllers(context.api),
  ...checkCustomResources(context),
];

/** What kube-apiserver would reject, so that only files can hold it (kube-aggregator pkg/apis/apiregistration/validation/validation.go). */
function checkAccepted(api: ApiServiceView): readonly Observation[] {
  const { name, group, version, service, caBundle, insecureSkipTLSVerify, groupPriorityMinimum, versionPriority } = api;
  const expected = `${version}.${group}`;
  const trust = [...(caBundle ? ['spec.caBundle is set'] : []), ...(insecureSkipTLSVerify ? ['spec.insecureSkipTLSVerify: true'] : [])];
  const priorities = [
    ...(outside(groupPriorityMinimum, 20_000) ? [`spec.groupPriorityMinimum: ${groupPriorityMinimum}`] : []),
    ...(outside(versionPriority, 1_000) ? [`spec.versionPriority: ${versionPriority}`] : []),
  ];
  const incomplete = service !== undefined && (service.namespace === '' || service.name === '' || outside(service.port, 65_535));
  return [
    ...(name === expected ? [] : [observation('registration/name-mismatch', [`metadata.name: ${name}`], { expected })]),
    ...(priorities.length > 0 ? [observation('registration/priority-out-of-range', priorities)] : []),
    ...(incomplete ? [observation('registration/service-incomplete', [`spec.service: ${JSON.stringify(service)}`])] : []),
    ...(!service && trust.length > 0 ? [observation('registration/local-with-trust', trust)] : []),
    ...(service && trust.length > 1 ? [observation('registration/insecure-with-bundle', trust)] : []),
  ];
}

const outside = (value: number, limit: number): boolean => !(Number.isInteger(value) && value >= 1 && value <= limit);

const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged';

/** Controllers that write the APIService, and get in the way of each other or of kube-apiserver. */
function checkControllers(api: ApiServiceView): readonly Observation[] {
  if (!api.service) return [];
  const label = api.labels[automanagedLabel];
  // Other values mean nothing to it (kube-aggregator pkg/controllers/autoregister, automanagedType).
  const managed = label === 'true' || label === 'onstart';
  const injectors = injectorsOf(api);
  const [first] = injectors;
  const other = injectors.find(({ controller }) => controller !== first?.controller);
  return [
    ...(managed ? [observation('registration/automanaged-label', [`label ${automanagedLabel}: ${label}`])] : []),
    ...(other ? [observation('registration/two-injectors', injectors.map(annotationLine), { annotation: other.annotation })] : []),
    ...(first && api.insecureSkipTLSVerify && api.caBundle === ''
      ? [observation('registration/injector-blocked', injectors.map(annotationLine), { injector: first.controller })]
      : []),
  ];
}

/**
 * kube-apiserver registers the group and version of every CustomResourceDefinition by itself, but leaves an APIService alone that is there already
 * (kube-aggregator pkg/controllers/autoregister, checkAPIService).
 */
function checkCustomResources({ api, snapshot }: CheckContext): readonly Observation[] {
  const hidden = (seen(snapshot.customResources) ?? []).filter(({ versions }) => versions.includes(api.version));
  if (!api.service || hidden.length === 0) return [];
  const crds = hidden.map(({ name }) => name).join(', ');
  const evidence = hidden.map(({ name, versions }) => `CustomResourceDefinition ${name}: serves ${versions.join(', ')}`);
  return [observation('registration/hides-custom-resources', evidence, { crds })];
}

/** What the availability controller of kube-apiserver says (kube-aggregator pkg/controllers/status). */
export const checkAvailable: Check = (context) => {
  const { api, snapshot } = context;
  if (!api.available) {
    // A registration in a file has no status yet; one in a cluster always should.
    return seen(snapshot.aggregated) ? [observation('control-plane/no-condition')] : [];
  }
  const { status, reason, message, lastTransitionTime } = api.available;
  const evidence = [`Available=${status} (${reason}) since ${lastTransitionTime}: ${message}`];
  if (status === 'True') return checkDisagreement(context, evidence);
  // kube-apiserver passes nothing on to an API that it holds for unavailable (kube-aggregator pkg/apiserver/handler_proxy.go).
  return [observation(works(context) ? 'control-plane/stale-condition' : 'control-plane/not-available', evidence, { reason })];
};

/**
 * `service unavailable` is what an API gets whose condition is not True, or whose Service can't be resolved; for a ClusterIP Service the availability
 * controller would have seen the latter.
 */
function checkDisagreement({ snapshot }: CheckContext, evidence: readonly string[]): readonly Observation[] {
  const answer = seen(snapshot.aggregated);
  if (answer?.status !== 503 || answer.body !== 'service unavailable' || seen(snapshot.service)?.type !== 'ClusterIP') return [];
  return [observation('control-plane/flapping', [...evidence, `GET ${answer.path}: 503 service unavailable`])];
}
