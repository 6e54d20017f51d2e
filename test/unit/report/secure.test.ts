import { expect, test } from 'vitest';
import { secureText } from '../../../src/report/secure.ts';
import { colorless } from './colors.ts';

test('the commands repeat the cluster and the project of the command', () => {
  const report = { outcome: 'secured', name: 'v1.a.example.com', project: 'my demo' } as const;
  const lines = secureText(report, { directory: 'my demo', context: 'staging' }, colorless).split('\n');
  expect(lines).toContain(
    "The project in my demo contains the CA and its key. To replace the certificate: apisvc rotate --context=staging -C 'my demo'",
  );
  expect(lines).toContain("To roll back: apisvc secure --context=staging --undo v1.a.example.com -C 'my demo'");
  const undone = { outcome: 'undone', name: 'v1.a.example.com', removed: [], project: 'my demo' } as const;
  expect(secureText(undone, {}, colorless)).toContain("To remove it: rm -r 'my demo'\n");
  const hostile = { directory: 'a\u001b[2Jb' };
  expect(secureText({ ...report, project: hostile.directory }, hostile, colorless)).not.toContain('\u001b');
});
