import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pathText } from '../../../../src/config/path-text.ts';
import { offlineSnapshot } from '../../../../src/snapshot/offline/snapshot.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly error?: string;
}

/**
 * Written by the strict decoder of kube-apiserver (k8s.io/kube-aggregator v0.37.2,
 * pkg/apis/apiregistration/install, serializer.EnableStrict).
 */
const cases: readonly Case[] = JSON.parse(readFileSync('test/fixtures/lint/kube-apiserver-decoder.json', 'utf8'));

/** The field of an error, as far as the decoder names it: it does not name the key of a label. */
const fieldOf = (error: string): string => /field "([^"]+)"|field \w+\.(\S+) of type/.exec(error)?.slice(1).join('') ?? 'spec.caBundle';

test.each(cases)('$name', ({ text, error }) => {
  const { snapshot } = offlineSnapshot([{ file: 'a.yaml', text }], new Date(0));
  const faults = snapshot.apis.flatMap(({ manifest }) => manifest?.faults ?? []);
  if (error === undefined) {
    expect(faults).toEqual([]);
    return;
  }
  const [fault, ...others] = faults;
  expect(others).toEqual([]);
  expect(pathText(fault?.path ?? []).startsWith(fieldOf(error))).toBe(true);
  if (error.startsWith('illegal base64')) expect(fault).toMatchObject({ kind: 'not-base64', words: error });
  else expect(fault?.kind).toBe(error.startsWith('strict') ? 'unknown-field' : 'wrong-type');
});
