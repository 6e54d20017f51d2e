import { describe, expect, test } from 'vitest';
import { entryOf } from '../../../src/diagnosis/catalog.ts';
import { crashCauses } from '../../../src/diagnosis/crash-causes.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything } from './everything.ts';
import { cannotRead, crashes } from './fault-parts.ts';
import { faults } from './faults.ts';
import { codes, diagnosed, gone, seen, unseen } from './snapshots.ts';

/** Whether another finding explains why a pod crashes. */

const of = (change: Partial<ApiSnapshot>): unknown[] =>
  diagnosed({ ...everything, ...change }).findings.map(({ code, explains }) => [code, explains.map((each) => each.code)]);

describe('a pod that crashes', () => {
  const wrongKey: Partial<ApiSnapshot> = { ...faults['security/key-mismatch'], aggregated: gone };
  const noReader: Partial<ApiSnapshot> = { delegation: faults['auth/reader-missing'].delegation ?? unseen(), aggregated: gone };
  const noCa: Partial<ApiSnapshot> = { requestHeader: faults['auth/requestheader-missing'].requestHeader ?? unseen(), aggregated: gone };
  const noCertificate: Partial<ApiSnapshot> = { secret: faults['cert/secret-unreadable'].secret ?? unseen(), aggregated: gone };
  const causes: [string, Partial<ApiSnapshot>, string][] = [
    ['security/key-mismatch', wrongKey, 'err="tls: private key does not match public key"'],
    ['auth/reader-missing', noReader, cannotRead],
    ['auth/requestheader-missing', noCa, 'err="configmaps \\"extension-apiserver-authentication\\" not found"'],
    ['cert/secret-unreadable', noCertificate, 'err="tls: failed to find any PEM data in certificate input"'],
  ];
  const killed = (change: Partial<ApiSnapshot>): Partial<ApiSnapshot> => {
    if (change.pods?.state !== 'seen') throw new Error('no pods');
    const state = { kind: 'ended', exitCode: 137, reason: 'OOMKilled', message: '' } as const;
    return {
      ...change,
      pods: seen(change.pods.value.map((each) => ({ ...each, containers: each.containers.map((container) => ({ ...container, state })) }))),
    };
  };

  test.each(causes)('is explained by %s if its log reports it', (code, change, line) => {
    expect(of({ ...change, ...crashes(line) })).toMatchObject([[code, expect.arrayContaining(['endpoints/pod-crashing'])]]);
  });

  test.each(causes)('is not explained by %s if its log reports something else', (code, change) => {
    const roots = codes(diagnosed({ ...everything, ...change, ...crashes('panic: index out of range') }));
    expect(roots.toSorted()).toEqual([code, 'endpoints/pod-crashing'].toSorted());
  });

  test.each(causes)('is not explained by %s if it was OOMKilled', (_, change, line) => {
    expect(codes(diagnosed({ ...everything, ...change, ...killed(crashes(line)) }))).toContain('endpoints/pod-crashing');
  });

  test('is explained only if the logs of all crashing pods report the cause', () => {
    const one = crashes('err="tls: private key does not match public key"').pods;
    const other = crashes('panic: index out of range').pods;
    if (one?.state !== 'seen' || other?.state !== 'seen') throw new Error('no pods');
    const pods = seen([...one.value, ...other.value.map((each) => ({ ...each, name: 'api-1' }))]);
    expect(codes(diagnosed({ ...everything, ...wrongKey, ...crashes(''), pods }))).toContain('endpoints/pod-crashing');
  });

  test('has a log pattern for every cause in the catalog', () => {
    expect(Object.keys(crashCauses).toSorted()).toEqual(entryOf('endpoints/pod-crashing').explainedBy?.toSorted());
  });
});
