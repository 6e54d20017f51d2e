import type { Code } from '../../../src/diagnosis/catalog.ts';

/** Findings that no real fault of the laboratory gives, and why; test/unit/diagnosis has a snapshot for each. */
export const offline: Partial<Readonly<Record<Code, string>>> = {
  'control-plane/flapping':
    'It lasts for milliseconds, while a condition changes or two kube-apiservers write different ones, so that a look meets it by chance.',
  'discovery/not-in-group': 'kube-apiserver lists every version of a group that it passes on, so the two differ for milliseconds.',
  'network/address-not-allowed': 'The words are those of a proxy that only managed clusters have.',
};
