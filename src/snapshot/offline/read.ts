import { type Document, parseAllDocuments } from 'yaml';
import { UsageError } from '../../errors.ts';
import type { KubeObject, ManifestText } from '../../manifests/types.ts';
import type { Json } from '../views.ts';

/**
 * The named objects of a manifest, with the items of lists.
 * @throws UsageError with line and column of the first fault
 */
export function readObjects({ file, text }: ManifestText): KubeObject[] {
  return parseAllDocuments(text).flatMap((document): KubeObject[] => {
    const [fault] = document.errors;
    if (fault) {
      const { line, col } = fault.linePos?.[0] ?? { line: 1, col: 1 };
      throw new UsageError(`${file}:${line}:${col}: ${fault.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')}`);
    }
    const value = plainJson(document, file);
    const items: unknown[] = Array.isArray(value?.items) ? value.items : [value];
    return items.filter((item): item is KubeObject => typeof (item as KubeObject)?.metadata?.name === 'string');
  });
}

/** @throws UsageError for undefined aliases, and for aliases that expand without bound */
function plainJson(document: Document, file: string): Json {
  try {
    return document.toJS();
  } catch (cause) {
    if (!(cause instanceof ReferenceError)) throw cause;
    throw new UsageError(`${file}: ${cause.message}`, { cause });
  }
}
