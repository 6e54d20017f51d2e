import type { Code } from '../../../src/diagnosis/catalog.ts';

/**
 * The findings that the laboratory cannot produce, and why. test/unit/diagnosis has a snapshot for
 * each.
 */
export const offline: Partial<Readonly<Record<Code, string>>> = {
  'control-plane/flapping': 'It lasts for milliseconds, while a condition changes or two kube-apiservers set different conditions.',
  'discovery/not-in-group': 'kube-apiserver lists every version that it forwards requests for. The two differ only for milliseconds.',
  'network/address-not-allowed': 'The message comes from a proxy that only managed clusters have.',
};
