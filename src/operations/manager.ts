import { fieldManagers } from '../cluster/managed-fields.ts';
import type { KubeObject } from '../manifests/types.ts';

/** The tool that applies an object again. */
export interface Manager {
  readonly tool: 'Helm' | 'Argo CD' | 'Flux' | 'kubectl apply';
  /** Of Helm, if it is known. */
  readonly release?: { readonly name: string; readonly namespace: string | undefined };
}

/** Finds who applied an object, by the marks that the tools leave on it. */
export function managerOf(object: KubeObject): Manager | undefined {
  const { annotations = {}, labels = {} } = object.metadata;
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) return { tool: 'Helm', release: { name: release, namespace: annotations['meta.helm.sh/release-namespace'] } };
  if (labels['app.kubernetes.io/managed-by'] === 'Helm') return { tool: 'Helm' };
  const marks = [...Object.keys(annotations), ...Object.keys(labels), ...fieldManagers(object, ['spec'])];
  const isMarked = (pattern: RegExp): boolean => marks.some((each) => pattern.test(each));
  if (isMarked(/argocd/)) return { tool: 'Argo CD' };
  if (isMarked(/fluxcd|kustomize-controller|helm-controller/)) return { tool: 'Flux' };
  return annotations['kubectl.kubernetes.io/last-applied-configuration'] === undefined ? undefined : { tool: 'kubectl apply' };
}

/** `Helm release metrics-server`, `Argo CD`, `"kubectl apply"`. */
export const describeManager = ({ tool, release }: Manager): string =>
  tool === 'kubectl apply' ? `"${tool}"` : `${tool}${release === undefined ? '' : ` release ${release.name}`}`;
