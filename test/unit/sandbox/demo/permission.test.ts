import { describe, expect, test } from 'vitest';
import { as, core, startServing } from './running.ts';

const list = '/apis/demo.apisvc.dev/v1alpha1/hosts';

describe('authorization', () => {
  test('is decided by kube-apiserver for every request', async () => {
    const known = core({ allows: ({ user }) => user === 'jane' });
    const { get } = await startServing(known);
    expect((await get(list, as('jane'))).code).toBe(200);
    expect((await get(list, as('john'))).code).toBe(403);
    known.allows = () => false;
    expect((await get(list, as('jane'))).code).toBe(403);
    expect(known.asked).toHaveLength(3);
  });

  test('is not needed for system:masters', async () => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect((await get(list, as('admin', ['system:masters']))).code).toBe(200);
    expect(known.asked).toEqual([]);
  });

  test.each(['/healthz', '/livez', '/readyz'])('is not needed for %s', async (path) => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect(await get(path)).toMatchObject({ code: 200, text: 'ok' });
    expect(known.asked).toEqual([]);
  });

  test.each(['/apis', '/apis/demo.apisvc.dev/v1alpha1', '/version', '/openapi/v3'])('is needed for the path %s', async (path) => {
    const known = core({ allows: () => false });
    const { json } = await startServing(known);
    expect(await json(path, as('jane'))).toMatchObject({ code: 403, message: `forbidden: User "jane" cannot get path "${path}": no rule` });
    expect(known.asked).toMatchObject([{ nonResourceAttributes: { path, verb: 'get' } }]);
  });

  test('that fails is answered with 500 and the message of kube-apiserver', async () => {
    const message = 'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:demo:demo" cannot create resource';
    const known = core({ allows: () => new Error(message) });
    const { get } = await startServing(known);
    const refused = await get(list, as('jane'));
    expect(refused).toMatchObject({ code: 500, text: `Internal Server Error: "${list}": ${message}\n` });
    known.allows = () => true;
    expect((await get(list, as('jane'))).code).toBe(200);
  });
});
