import { expect, test } from 'vitest';
import { fixParts } from '../../../src/report/fix.ts';

const shown = (fix: string): string[] => fixParts(fix).map(({ kind, text }) => `${kind}: ${text}`);

test.each([
  ['kubectl get --raw /apis/a/v1', ['command: kubectl get --raw /apis/a/v1']],
  [
    'kubectl -n a describe pod b; kubectl -n a logs b; then correct the image, or its name; that is all',
    ['command: kubectl -n a describe pod b', 'command: kubectl -n a logs b', 'words: then correct the image, or its name; that is all'],
  ],
  [
    'apisvc register puts the right caBundle in place; it needs -y.',
    ['words: apisvc register puts the right caBundle in place; it needs -y.'],
  ],
  ['Restart the server.', ['words: Restart the server.']],
])('%s', (fix, parts) => {
  expect(shown(fix)).toEqual(parts);
});
