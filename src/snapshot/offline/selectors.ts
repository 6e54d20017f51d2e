import type { KubeObject, ManifestFault } from '../../manifests/types.ts';
import { type Json, listOf, textsOf } from '../views.ts';
import { podOf, workloadKinds } from './objects.ts';
import { placeText, type ReadObject } from './read.ts';
import type { ValuePath } from './values.ts';

const field: ValuePath = ['spec', 'selector'];

/** The most objects that a fault names. */
const mostNamed = 5;

/**
 * The workloads that kube-apiserver rejects for their selector, as one fault
 * (k8s.io/kubernetes/pkg/apis/apps/validation/validation.go, ValidateDeploymentSpec;
 * pkg/apis/core/validation/validation.go, ValidatePodTemplateSpecForRC).
 */
export function selectorFaults(read: readonly ReadObject[]): ManifestFault[] {
  const found = read.flatMap((each) => {
    const words = whyRejected(each.object);
    return words === undefined
      ? []
      : [{ each, words: `${each.object.kind} ${each.object.metadata.name} (${placeText(each, field)}): ${words}` }];
  });
  const [first] = found;
  if (!first) return [];
  const more = found.length > mostNamed ? [`and ${found.length - mostNamed} more`] : [];
  return [
    {
      ...first.each.placeOf(field),
      kind: 'workload-selector',
      words: [...found.slice(0, mostNamed).map(({ words }) => words), ...more].join('; '),
    },
  ];
}

function whyRejected(object: KubeObject & Json): string | undefined {
  const { apiVersion, kind, spec } = object;
  const replicates = apiVersion === 'v1' && kind === 'ReplicationController';
  if (!replicates && !(apiVersion === 'apps/v1' && workloadKinds.some((each) => each === kind))) return undefined;
  const template: Json = podOf(object);
  if (!isComplete(template)) return undefined;
  const selector: Json = spec?.selector;
  const labels = textsOf(template?.metadata?.labels);
  const matchLabels = textsOf(replicates ? selector : selector?.matchLabels);
  const expressions = replicates ? [] : listOf(selector?.matchExpressions);
  if (Object.keys(matchLabels).length + expressions.length === 0) {
    return replicates ? undefined : 'it has no spec.selector';
  }
  const matches =
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && expressions.every((each) => meets(each, labels));
  if (matches) return undefined;
  return `spec.selector has ${JSON.stringify(selector)}, the pod template has the labels ${JSON.stringify(labels)}`;
}

/** Whether a pod template is not only part of a patch. */
const isComplete = (template: Json): boolean => {
  const containers = listOf(template?.spec?.containers);
  return containers.length > 0 && containers.every(({ image }) => image !== undefined);
};

/** A requirement of a label selector (k8s.io/apimachinery/pkg/labels/selector.go, Matches). */
function meets({ key, operator, values }: Json, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[key];
  const isListed = value !== undefined && (values ?? []).includes(value);
  switch (operator) {
    case 'In':
      return isListed;
    case 'NotIn':
      return !isListed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return true;
  }
}
