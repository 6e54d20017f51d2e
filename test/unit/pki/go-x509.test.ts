import { describe, expect, test } from 'vitest';
import { weakKeyFault, x509Fault } from '../../../src/pki/go-x509.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import type { Snapshot } from '../../../src/snapshot/types.ts';
import { readRecordings } from '../../cluster/laboratory/recording.ts';

type Api = Snapshot['apis'][number];

/**
 * Messages of real kube-apiservers about serving certificates, with those certificates.
 */
function recorded({ apis, takenAt }: Snapshot) {
  return apis.flatMap(({ apiService, aggregated, probes }: Api) => {
    if (apiService.state !== 'seen' || probes.state !== 'seen' || !apiService.value.service || apiService.value.insecureSkipTLSVerify)
      return [];
    const { service, caBundle, available } = apiService.value;
    const said = [available?.message ?? '', aggregated.state === 'seen' ? aggregated.value.body : ''].join('\n');
    const roots = inspect(Buffer.from(caBundle, 'base64').toString()).certificates;
    const hostname = `${service.name}.${service.namespace}.svc`;
    const time = /current time (\S+) is/.exec(said)?.[1] ?? takenAt;
    const presented = probes.value.flatMap(({ handshake }) => (handshake.kind === 'served' ? [handshake.certificates] : []));
    return presented.length === 0
      ? []
      : [{ said, checks: presented.map((each) => ({ presented: each, roots, hostname, now: new Date(time) })) }];
  });
}

describe.each(['1.37', '1.35'] as const)('what was recorded on Kubernetes %s', (version) => {
  const cases = readRecordings(version).flatMap(({ fault, snapshot }) =>
    (snapshot ? recorded(snapshot) : []).map((each) => ({ fault, ...each })),
  );
  // Their conditions were written by hand.
  const refused = cases.filter(({ fault, said }) => said.includes('x509: ') && !['renewed-since', 'other-clock'].includes(fault));
  // kube-apiserver has kept connections from before the fault.
  const accepted = cases.filter(
    ({ fault, said }) =>
      fault !== 'cert-manager-other-name' && said.startsWith('all checks passed') && !/x509|error|unavailable|unable/.test(said),
  );

  test('is enough', () => {
    expect(refused.length).toBeGreaterThan(15);
    expect(accepted.length).toBeGreaterThan(30);
  });

  test.each(refused)('refused: $fault', ({ said, checks }) => {
    expect(checks.map(x509Fault).filter((words) => words && said.includes(words))).not.toEqual([]);
  });

  test.each(accepted)('accepted: $fault', ({ checks }) => {
    expect(checks.map(x509Fault)).toContain(undefined);
  });

  test('of a weak key', () => {
    const said = cases.filter(({ said }) => said.includes('crypto/rsa: 768-bit'));
    expect(said.length).toBe(1);
    for (const { said: words, checks } of said) expect(words).toContain(checks.map(({ presented: [leaf] }) => weakKeyFault(leaf)).join());
  });
});
