import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/manifests/types.ts';
import type { AppliedPair } from '../../../src/operations/steps/apply.ts';
import { diffText } from '../../../src/report/diff.ts';
import { colorless, escapes } from './colors.ts';

const object = (kind: string, content: Record<string, unknown>, resourceVersion = '1'): KubeObject =>
  ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'a', namespace: 'b', resourceVersion, uid: 'x', managedFields: [{}] },
    ...content,
  }) as unknown as KubeObject;

const pair = (change: AppliedPair['applied']['change'], before: KubeObject | undefined, after: KubeObject): AppliedPair => ({
  applied: { object: `${after.kind.toLowerCase()}/b/a`, change },
  wanted: after,
  before,
  after,
  restored: [],
  takenFrom: undefined,
});

test('no differences', () => {
  const same = object('Service', { spec: { port: 1 } });
  expect(diffText([pair('unchanged', same, same)], colorless)).toBe('No differences.\n');
});

test('only the changed lines, without managedFields and other metadata', () => {
  const before = object('Service', { spec: { port: 1 }, status: { x: 1 } });
  const after = object('Service', { spec: { port: 2 }, status: { x: 2 } }, '2');
  expect(diffText([pair('configured', before, after)], colorless)).toBe(`--- service/b/a
+++ service/b/a
@@ -4,4 +4,4 @@
   name: a
   namespace: b
 spec:
-  port: 1
+  port: 2
`);
});

test('a new object is compared with /dev/null', () => {
  expect(diffText([pair('created', undefined, object('Service', {}))], colorless)).toMatch(
    /^--- \/dev\/null\n\+\+\+ service\/b\/a\n@@ -[01],0 \+1,5 @@\n\+apiVersion: v1\n/,
  );
});

describe('a Secret', () => {
  const secret = (key: string): KubeObject => object('Secret', { data: { 'tls.crt': 'Y2VydA==', 'tls.key': key } });

  test('shows whether values differ, but not the values', () => {
    const text = diffText([pair('configured', secret('b2xk'), secret('bmV3'))], colorless);
    expect(text).toContain('-  tls.key: (hidden)\n+  tls.key: (hidden, changed)\n');
    expect(text).toContain('   tls.crt: (hidden)\n');
    expect(text).not.toMatch(/b2xk|bmV3|Y2VydA/);
  });

  test('that is new is hidden too', () => {
    expect(diffText([pair('created', undefined, secret('bmV3'))], colorless)).not.toMatch(/bmV3|Y2VydA/);
  });
});

test('control characters from the cluster are escaped', () => {
  const text = diffText([pair('configured', object('Service', { spec: 'a' }), object('Service', { spec: 'x\u001b[2J\u202e' }))], colorless);
  expect(text).not.toMatch(escapes);
});
