import { badRequest } from '../shared/failure.ts';
import type { Obj } from './types.ts';

type Predicate = (object: Obj) => boolean;

/** Matches the labelSelector and the fieldSelector of a request. @throws ApiFailure 400 */
export function selectorOf({ searchParams }: URL): Predicate {
  const labels = split(searchParams.get('labelSelector')).map(labelRequirement);
  const fields = split(searchParams.get('fieldSelector')).map(fieldRequirement);
  return (object) => labels.every((holds) => holds(object.metadata.labels ?? {})) && fields.every((holds) => holds(object));
}

/** Splits at commas outside of parentheses. */
const split = (text: string | null): string[] =>
  (text ?? '')
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);

/** The grammar of k8s.io/apimachinery/pkg/labels/selector.go, without `<` and `>`. */
const labelPattern =
  /^(?<not>!)?\s*(?<key>[^\s,()=!<>]+)\s*(?:(?<operator>==?|!=)\s*(?<value>[^\s,()=!<>]*)|(?<set>in|notin)\s*\((?<values>[^()]*)\))?$/;

function labelRequirement(text: string): (labels: Obj) => boolean {
  const { not, key, operator, value, set, values } = labelPattern.exec(text)?.groups ?? {};
  if (key === undefined || (not && (operator || set))) throw badRequest(`unable to parse requirement: ${text}`);
  const has = (labels: Obj): boolean => Object.hasOwn(labels, key);
  if (set) {
    const wanted = (values ?? '').split(',').map((each) => each.trim());
    const within = (labels: Obj): boolean => has(labels) && wanted.includes(labels[key]);
    return set === 'in' ? within : (labels) => !within(labels);
  }
  if (operator) return (labels) => (has(labels) && labels[key] === value) === (operator !== '!=');
  return not ? (labels) => !has(labels) : has;
}

/** Every field of an object can be selected; kube-apiserver knows few of each kind. */
function fieldRequirement(text: string): Predicate {
  const [, path, operator, value] = /^([^=!]+)(==?|!=)(.*)$/.exec(text) ?? [];
  if (path === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
  return (object) => (valueAt(object, path) === value) === (operator !== '!=');
}

/** As text; empty for a missing field. */
const valueAt = (object: Obj, path: string): string => String(path.split('.').reduce((part, key) => part?.[key], object) ?? '');
