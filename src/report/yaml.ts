import { Document, isScalar, Scalar, visit } from 'yaml';
import type { Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { printableQuoted } from '../pki/printable.ts';

/**
 * The diagnosis as YAML 1.1, as Kubernetes tools read it. Control characters are quoted and
 * escaped.
 */
export const diagnosisYaml = (diagnosis: Diagnosis | DiagnosisList): string => plainYaml(diagnosis);

/** Plain data as YAML, in the same way. */
export function plainYaml(data: object): string {
  const document = new Document(data, { version: '1.1', aliasDuplicateObjects: false, keepUndefined: false });
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && typeof node.value === 'string' && printableQuoted(node.value) !== node.value) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return printableQuoted(document.toString({ lineWidth: 0 }));
}
