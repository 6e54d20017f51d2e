import type { ApiServiceView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, seen, works } from './check.ts';
import { aboutAnnotation, annotationLine, injectorsOf, outdatedAnnotation } from './injectors.ts';

/** The APIService itself. */
export const checkRegistration: Check = (context) => [
  ...checkValidation(context.api),
  ...checkControllers(context.api),
  ...checkAnnotation(context),
  ...checkCustomResources(context),
];

/**
 * Faults that kube-apiserver rejects, so that only files can have them (kube-aggregator
 * pkg/apis/apiregistration/validation/validation.go).
 */
function checkValidation(api: ApiServiceView): readonly Observation[] {
  const { name, group, version, service, caBundle, insecureSkipTLSVerify, groupPriorityMinimum, versionPriority } = api;
  const expected = `${version}.${group}`;
  const trust = [...(caBundle ? ['spec.caBundle is set'] : []), ...(insecureSkipTLSVerify ? ['spec.insecureSkipTLSVerify: true'] : [])];
  const priorities = [
    ...(outside(groupPriorityMinimum, 20_000) ? [`spec.groupPriorityMinimum: ${groupPriorityMinimum}`] : []),
    ...(outside(versionPriority, 1_000) ? [`spec.versionPriority: ${versionPriority}`] : []),
  ];
  const incomplete = service !== undefined && (service.namespace === '' || service.name === '' || outside(service.port, 65_535));
  return [
    // A manifest without group or version has a finding of its own.
    ...(name === expected || group === '' || version === ''
      ? []
      : [observation('registration/name-mismatch', [`metadata.name: ${name}`], { expected })]),
    ...(priorities.length > 0 ? [observation('registration/priority-out-of-range', priorities)] : []),
    ...(incomplete ? [observation('registration/service-incomplete', [`spec.service: ${JSON.stringify(service)}`])] : []),
    ...(!service && trust.length > 0 ? [observation('registration/local-with-trust', trust)] : []),
    ...(service && trust.length > 1 ? [observation('registration/insecure-with-bundle', trust)] : []),
  ];
}

// A value that is no 32-bit integer has its own finding.
const outside = (value: number, limit: number): boolean => (value | 0) === value && !(value >= 1 && value <= limit);

const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged';

/** Conflicts between controllers that write the APIService. */
function checkControllers(api: ApiServiceView): readonly Observation[] {
  if (!api.service) return [];
  const label = api.labels[automanagedLabel];
  // kube-apiserver ignores other values (kube-aggregator pkg/controllers/autoregister,
  // automanagedType).
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

/** An annotation that should inject the caBundle, and does nothing. */
function checkAnnotation(context: CheckContext): readonly Observation[] {
  const { api } = context;
  const outdated = outdatedAnnotation(api);
  const needed = api.service !== undefined && api.caBundle === '' && !api.insecureSkipTLSVerify && injectorsOf(api).length === 0;
  if (!outdated || !needed || works(context)) return [];
  const { annotation, value, replacement } = outdated;
  const observed = observation('registration/outdated-annotation', [annotationLine(outdated)], { annotation, replacement, value });
  return [{ ...observed, about: aboutAnnotation(api, annotation) }];
}

/**
 * kube-apiserver registers the groups and versions of CustomResourceDefinitions itself, but does
 * not change an existing APIService (kube-aggregator pkg/controllers/autoregister,
 * checkAPIService).
 */
function checkCustomResources({ api, snapshot }: CheckContext): readonly Observation[] {
  const hidden = (seen(snapshot.customResources) ?? []).filter(({ versions }) => versions.includes(api.version));
  if (!api.service || hidden.length === 0) return [];
  const crds = hidden.map(({ name }) => name).join(', ');
  const evidence = hidden.map(({ name, versions }) => `CustomResourceDefinition ${name}: serves ${versions.join(', ')}`);
  return [observation('registration/hides-custom-resources', evidence, { crds })];
}

/** The Available condition, which kube-apiserver sets (kube-aggregator pkg/controllers/status). */
export const checkAvailable: Check = (context) => {
  const { api, snapshot } = context;
  if (!api.available) {
    // An APIService in a file has no status. One in a cluster must have one.
    return seen(snapshot.aggregated) ? [observation('control-plane/no-condition')] : [];
  }
  const { status, reason, message, lastTransitionTime } = api.available;
  const evidence = [`Available=${status} (${reason}) since ${lastTransitionTime}: ${message}`];
  if (status === 'True') return checkDisagreement(context, evidence);
  // kube-apiserver does not forward requests for an unavailable API (kube-aggregator
  // pkg/apiserver/handler_proxy.go).
  return [observation(works(context) ? 'control-plane/stale-condition' : 'control-plane/not-available', evidence, { reason })];
};

/**
 * kube-apiserver answers `service unavailable` if the condition is not True, or if it cannot
 * resolve the Service. For a ClusterIP Service, the availability controller would have reported the
 * latter.
 */
function checkDisagreement({ snapshot }: CheckContext, evidence: readonly string[]): readonly Observation[] {
  const answer = seen(snapshot.aggregated);
  if (answer?.status !== 503 || answer.body !== 'service unavailable' || seen(snapshot.service)?.type !== 'ClusterIP') return [];
  return [observation('control-plane/flapping', [...evidence, `GET ${answer.path}: 503 service unavailable`])];
}
