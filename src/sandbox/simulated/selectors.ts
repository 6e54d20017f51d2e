import { badRequest } from '../shared/failure.ts';
import type { Kind, Obj } from './types.ts';

type Predicate = (object: Obj) => boolean;

const operators = 'in, notin, =, ==, !=, gt, lt';

/**
 * The objects that a request wants, by its labelSelector and fieldSelector.
 * @throws ApiFailure 400 for a selector that is none, or asks for a field that this kind can't be
 * selected by
 */
export function selectorOf(kind: Kind, { searchParams }: URL): Predicate {
  const labels = labelRequirements(searchParams.get('labelSelector') ?? '');
  const fields = fieldRequirements(kind, searchParams.get('fieldSelector') ?? '');
  return (object) => labels.every((holds) => holds(object.metadata.labels ?? {})) && fields.every((holds) => holds(object));
}

/** k8s.io/apimachinery/pkg/labels/selector.go, whose grammar and words these are. */
function labelRequirements(text: string): ((labels: Obj) => boolean)[] {
  const tokens: string[] = text.match(/[^\s,()=!<>]+|==?|!=?|[,()<>]/g) ?? [];
  const refuse = (found: string | undefined, words: string) => badRequest(`unable to parse requirement: found '${found ?? ''}'${words}`);
  const isWord = (token: string | undefined): token is string => token !== undefined && !/^[,()=!<>]/.test(token);
  const word = (): string => {
    const token = tokens.shift();
    if (!isWord(token)) throw refuse(token, ', expected: identifier');
    return token;
  };
  const values = (): string[] => {
    if (tokens[0] !== '(') throw refuse(tokens[0], " expected: '('");
    const end = tokens.indexOf(')');
    if (end === -1) throw refuse('', ", expected: ',' or ')'");
    return tokens.splice(0, end + 1).filter(isWord);
  };
  const requirement = (): ((labels: Obj) => boolean) => {
    if (tokens[0] === '!') {
      tokens.shift();
      const key = word();
      return (labels) => !Object.hasOwn(labels, key);
    }
    const key = word();
    const operator = tokens[0];
    if (operator === undefined || operator === ',') return (labels) => Object.hasOwn(labels, key);
    tokens.shift();
    if (operator === 'in' || operator === 'notin') {
      const wanted = values();
      return (labels) => (operator === 'in' ? Object.hasOwn(labels, key) && wanted.includes(labels[key]) : !wanted.includes(labels[key]));
    }
    if (operator === '>' || operator === '<') {
      const bound = Number(word());
      return (labels) => Object.hasOwn(labels, key) && (operator === '>' ? Number(labels[key]) > bound : Number(labels[key]) < bound);
    }
    if (!['=', '==', '!='].includes(operator)) throw refuse(operator, `, expected: ${operators}`);
    // `x=` asks for an empty value.
    const value = tokens[0] === undefined || tokens[0] === ',' ? '' : word();
    return (labels) => (operator === '!=' ? labels[key] !== value : labels[key] === value);
  };

  const found: ((labels: Obj) => boolean)[] = [];
  while (tokens.length > 0) {
    found.push(requirement());
    const next = tokens.shift();
    if (next !== undefined && next !== ',') throw badRequest(`found '${next}', expected: ',' or 'end of string'`);
  }
  return found;
}

/**
 * What objects can be selected by beside their name and namespace, of what clients select by
 * (k8s.io/kubernetes/pkg/apis/core/v1/conversion.go).
 */
const selectable: Readonly<Record<string, readonly string[]>> = {
  Event: ['kind', 'namespace', 'name', 'uid', 'fieldPath']
    .flatMap((field) => [`involvedObject.${field}`, `regarding.${field}`])
    .concat('reason', 'type'),
  Namespace: ['status.phase'],
  Node: ['spec.unschedulable'],
  Pod: ['spec.nodeName', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  Secret: ['type'],
  Service: ['spec.clusterIP', 'spec.type'],
};

function fieldRequirements(kind: Kind, text: string): Predicate[] {
  return text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const [, field, operator, value] = /^([^=!]+)(==?|!=)(.*)$/.exec(part) ?? [];
      if (field === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const own = selectable[kind.kind];
      if (![...(own ?? []), 'metadata.name', 'metadata.namespace'].includes(field)) {
        throw badRequest(
          own
            ? `field label not supported: ${field}`
            : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
        );
      }
      return (object) => (valueAt(object, field) === value) === (operator !== '!=');
    });
}

/** As text, since that is what a selector compares; empty for what is not there. */
const valueAt = (object: Obj, path: string): string => String(path.split('.').reduce((part, key) => part?.[key], object) ?? '');
