import { type Alias, type Document, isAlias, isScalar, visit, type YAMLError } from 'yaml';
import { printable } from '../pki/printable.ts';
import type { Fault } from './faults.ts';
import { pathOf } from './locate.ts';
import { shown } from './shown.ts';

/**
 * The tags of the core schema of YAML 1.2. Each has a counterpart in JSON, the only data that
 * Kubernetes knows.
 */
const coreTags = /^(!|tag:yaml\.org,2002:(str|int|float|bool|null|map|seq))$/;

function duplicateKey(document: Document, [offset]: YAMLError['pos']): Fault {
  let fault: Fault = { path: [], offset, message: 'duplicate key' };
  visit(document, {
    Pair(_, { key }, ancestors) {
      if (!isScalar(key) || key.range?.[0] !== offset) return undefined;
      fault = { path: pathOf(ancestors, undefined), offset, message: `duplicate key ${shown(key.value)}` };
      return visit.BREAK;
    },
  });
  return fault;
}

function syntaxFault(document: Document, error: YAMLError): Fault {
  if (error.code === 'DUPLICATE_KEY') return duplicateKey(document, error.pos);
  const [offset] = error.pos;
  if (error.code === 'MULTIPLE_DOCS')
    return { path: [], offset, message: 'a second YAML document starts here; the file must contain one Registration' };
  if (error.code === 'RESOURCE_EXHAUSTION') return { path: [], offset, message: 'the file is nested too deeply' };
  // After a colon, yaml quotes the file, which may contain a private key.
  const [reason = ''] = error.message.split(': ');
  return { path: [], offset, message: `not valid YAML: ${printable(reason)}` };
}

const maxAliases = 100;

function aliasFault(document: Document, alias: Alias, ancestors: readonly unknown[]): string | undefined {
  const target = alias.resolve(document);
  if (!target) return `anchor &${alias.source} not found before this alias`;
  return ancestors.includes(target) ? `the alias *${alias.source} contains itself` : undefined;
}

/** Tags and aliases that JSON cannot express. */
function nodeFaults(document: Document): Fault[] {
  const faults: Fault[] = [];
  let aliases = 0;
  visit(document, {
    Node(_, node, ancestors) {
      const add = (message: string) => faults.push({ path: pathOf(ancestors, node), offset: node.range?.[0] ?? 0, message });
      if (isAlias(node)) {
        aliases += 1;
        const fault = aliases > maxAliases ? `more than ${maxAliases} aliases` : aliasFault(document, node, ancestors);
        if (fault) add(fault);
        return aliases > maxAliases ? visit.BREAK : undefined;
      }
      if (node.tag !== undefined && !coreTags.test(node.tag)) add(`the tag ${shown(node.tag)} is not supported`);
      return undefined;
    },
  });
  return faults;
}

/**
 * What is wrong with the structure of a document: syntax, duplicate keys, several documents, and
 * tags and aliases that JSON cannot express. The rest of a file is unreliable after a syntax error,
 * so that only the first one is reported.
 */
export function structuralFaults(document: Document): Fault[] {
  const { errors } = document;
  const syntax = errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  const reported = errors.filter(
    (error) => error === syntax || (error.code === 'DUPLICATE_KEY' && (!syntax || error.pos[0] < syntax.pos[0])),
  );
  if (reported.length > 0) return reported.map((error) => syntaxFault(document, error));
  return nodeFaults(document);
}
