import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { fixInDirectory } from '../../../../src/config/project-commands.ts';
import type { Registration } from '../../../../src/config/schema.ts';
import { RefusedError, type UsageError } from '../../../../src/errors.ts';
import type { CaCopies } from '../../../../src/operations/rotation/ca-copies.ts';
import type { Rotation } from '../../../../src/operations/rotation/rotation.ts';
import type { Trust, TrustKeeper } from '../../../../src/operations/rotation/trust-keeper.ts';
import type { Step } from '../../../../src/operations/runner.ts';
import { secretStep } from '../../../../src/operations/steps/secret.ts';
import { answer, clusterAt, never, type Received, serve, status } from '../../cluster/kube-api.ts';
import { newSet } from './fixture.ts';

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'api-tls', namespace: 'wardle', resourceVersion: '1' }, data: {} };
const registration = {
  metadata: { namespace: 'wardle', name: 'api' },
  spec: { service: { name: 'api' }, certificates: {}, server: {} },
} as unknown as Registration;

/** Runs the step with these answers of the keeper. @returns what happened, in order */
async function runStep(
  keeps: readonly boolean[],
  refusal?: RefusedError,
  conflicts = 0,
  copied: readonly boolean[] = [],
  renew = () => {},
) {
  const events: string[] = [];
  const written: Received[] = [];
  const url = await serve((request, response) => {
    if (request.method === 'PATCH') {
      written.push(request);
      events.push('write');
      if (written.length <= conflicts) return answer(response, 409, status(409, 'Conflict', 'the object has been modified'));
    }
    answer(response, 200, secret);
  });
  const [from, to] = [await newSet(), await newSet()];
  const rotation = {
    cluster: await clusterAt(url),
    signal: never,
    onProgress: () => {},
    forceConflicts: false,
    renewLease: async () => {
      events.push('renewed');
      renew();
    },
    registration,
    kind: 'ca',
    from,
    to,
    files: { certificate: '', key: '' },
  } as unknown as Rotation;
  const answers = [...keeps];
  const keeper = {
    keep: async () => {
      const kept = answers.shift() ?? true;
      events.push(kept ? 'trusted' : 'restored');
      return kept;
    },
    requireAcceptance: async () => {
      events.push('accepted');
      if (refusal) throw refusal;
    },
  } as unknown as TrustKeeper;
  const copiedAnswers = [...copied];
  const copies = {
    keep: async () => {
      const kept = copiedAnswers.shift() ?? true;
      if (!kept) events.push('copied');
      return kept;
    },
  } as unknown as CaCopies;
  const uptake = { run: async () => void events.push('uptake') } as unknown as Step;
  const look = async () => ({ probes: [], waiting: [], pods: [], complete: false, others: [], remaining: [] });
  const step = secretStep(rotation, { keeper, copies }, look, uptake);
  const outcome = await step.run().catch((error: Error) => error);
  return { events, written, outcome, to, from };
}

/** A step of the way back whose old key is lost. */
async function stepWithoutKey(): Promise<Step> {
  const cluster = await clusterAt(await serve((_, response) => answer(response, 200, secret)));
  const to = { ...(await newSet()), key: undefined };
  const rotation = { cluster, signal: never, registration, direction: 'back', to, files: { key: 'certs/tls.key' } } as unknown as Rotation;
  return secretStep(rotation, {} as Trust, async () => Promise.reject(new Error('no look')), {} as Step);
}

test('without the old key, the fix names the directory where the rotation was started, not this one', async () => {
  const { error } = (await (await stepWithoutKey()).observe()) as { readonly error?: UsageError };
  expect(error?.message).toBe('neither certs/tls.key nor Secret wardle/api-tls has the private key of the old certificate');
  expect(fixInDirectory(error?.fix ?? '', 'copy')).toMatch(/ in the project directory where .*: apisvc rotate --abort -C DIR$/);
});

describe('the Secret', () => {
  test('is written after every APIService accepts the certificate', async () => {
    const { events, written, to, from } = await runStep([true]);
    expect(events).toEqual(['trusted', 'accepted', 'renewed', 'write']);
    const { data } = JSON.parse(written[0]?.body ?? '');
    expect(Buffer.from(data['tls.crt'], 'base64').toString()).toBe(to.chain);
    expect(Buffer.from(data['ca.crt'], 'base64').toString()).toBe([...to.anchors, ...from.anchors].map(({ pem }) => pem).join(''));
  });

  test('is not written after the machine was suspended, until everything was looked at again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const suspensions = [60_000];
    const { events } = await runStep([], undefined, 0, [], () => vi.setSystemTime(Date.now() + (suspensions.shift() ?? 0)));
    expect(events).toEqual(['trusted', 'accepted', 'renewed', 'trusted', 'accepted', 'renewed', 'write']);
  });

  test('is written only after every kube-apiserver took up a caBundle that was restored', async () => {
    expect((await runStep([false, false, true])).events).toEqual([
      'restored',
      'uptake',
      'restored',
      'uptake',
      'trusted',
      'accepted',
      'renewed',
      'write',
    ]);
  });

  test('is written only after every kube-apiserver took up a copy of the CA that was awaited', async () => {
    expect((await runStep([], undefined, 0, [false, true])).events).toEqual([
      ...['trusted', 'copied', 'uptake'],
      ...['trusted', 'accepted', 'renewed', 'write'],
    ]);
  });

  test('is written again after a conflict only when every APIService still accepts the certificate', async () => {
    const { events, outcome } = await runStep([true, false, true], undefined, 1);
    expect(outcome).toBeUndefined();
    expect(events).toEqual([
      ...['trusted', 'accepted', 'renewed', 'write'],
      ...['restored', 'uptake', 'trusted', 'accepted', 'renewed', 'write'],
    ]);
  });

  test('is not written while an APIService would refuse the certificate', async () => {
    const refusal = new RefusedError('the new certificate would not be trusted');
    const { events, outcome } = await runStep([true], refusal);
    expect(events).toEqual(['trusted', 'accepted']);
    expect(outcome).toBe(refusal);
  });
});

test('the permission to list APIServices is needed, because the step looks at their caBundles', () => {
  const step = secretStep({ registration } as Rotation, {} as Trust, async () => Promise.reject(new Error('no look')), {} as Step);
  const verbs = step.needs().map(({ verb, ref }) => `${verb} ${ref.resource.kind}`);
  expect(verbs).toEqual(['get Secret', 'patch Secret', 'list APIService']);
});
