import { describe, expect, test } from 'vitest';
import { as, core, startServing } from './running.ts';

const list = '/apis/demo.apisvc.dev/v1alpha1/hosts';

describe('whether they may', () => {
  test('is asked of kube-apiserver, once in a while', async () => {
    const known = core();
    const { get } = await startServing(known);
    for (const _ of [1, 2, 3]) expect((await get(list, as('jane'))).code).toBe(200);
    expect(known.asked).toHaveLength(1);
    await get(list, as('john'));
    expect(known.asked).toHaveLength(2);
  });

  test('is not asked of system:masters', async () => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect((await get(list, as('admin', ['system:masters']))).code).toBe(200);
    expect(known.asked).toEqual([]);
  });

  test.each(['/healthz', '/livez', '/readyz'])('does not matter for %s', async (path) => {
    const known = core({ allows: () => false });
    const { get } = await startServing(known);
    expect(await get(path)).toMatchObject({ code: 200, text: 'ok' });
    expect(known.asked).toEqual([]);
  });

  test.each(['/apis', '/apis/demo.apisvc.dev/v1alpha1', '/version', '/openapi/v3'])('is asked for the path %s', async (path) => {
    const known = core({ allows: () => false });
    const { json } = await startServing(known);
    expect(await json(path, as('jane'))).toMatchObject({ code: 403, message: `forbidden: User "jane" cannot get path "${path}": no rule` });
    expect(known.asked).toMatchObject([{ nonResourceAttributes: { path, verb: 'get' } }]);
  });

  test('can not be found out: 500 with the words of kube-apiserver, and it is asked again', async () => {
    const words = 'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:demo:demo" cannot create resource';
    const known = core({ allows: () => new Error(words) });
    const { get } = await startServing(known);
    const refused = await get(list, as('jane'));
    expect(refused).toMatchObject({ code: 500, text: `Internal Server Error: "${list}": ${words}\n` });
    known.allows = () => true;
    expect((await get(list, as('jane'))).code).toBe(200);
  });
});
