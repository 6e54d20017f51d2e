import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import { Exit } from '../../../src/errors.ts';
import { answer, filesOf, kubeconfig, never, serve } from './kube-api.ts';
import { base64, refusal } from './refused-kubeconfig.ts';

/** The credentials of a kubeconfig, and what is sent of them. */

const jwt = (exp: number): string => `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c2ln`;
const oidc = (config: object) => ({
  'auth-provider': { name: 'oidc', config: { 'idp-issuer-url': 'https://192.0.2.9', 'client-id': 'x', ...config } },
});

describe('auth-provider oidc', () => {
  test.each([
    ['has expired', { 'id-token': jwt(1_577_836_800) }, 'user "jane" has an id-token that expired on 2020-01-01T00:00:00Z', 'Log in again'],
    ['is no JWT', { 'id-token': 'x' }, 'user "jane" has an id-token that is not a valid JWT', 'Log in again'],
    ['is missing', { 'refresh-token': 'x' }, 'user "jane" has no id-token', 'kubectl get --raw /version'],
  ])('with an id-token that %s', async (_, config, message, fix) => {
    expect(await refusal({ user: oidc(config) })).toMatchObject({
      exitCode: Exit.unreachable,
      message: `failed to get credentials for context "test": ${message}`,
      fix: expect.stringContaining(fix),
    });
  });
});

describe('the credentials that are sent', () => {
  const future = jwt(4_102_444_800);
  test.each([
    ['a token', { token: 'a' }, { authorization: 'Bearer a' }],
    ['a token of a file', { tokenFile: 'token' }, { authorization: 'Bearer of-file' }],
    ['a file before a token', { tokenFile: 'token', token: 'a' }, { authorization: 'Bearer of-file' }],
    ['a token where the file is missing', { tokenFile: 'nope', token: 'a' }, { authorization: 'Bearer a' }],
    ['an id-token', oidc({ 'id-token': future }), { authorization: `Bearer ${future}` }],
    ['a password', { username: 'a', password: 'b' }, { authorization: `Basic ${base64('a:b')}` }],
    [
      'an impersonated user with its groups',
      { token: 'a', as: 'john', 'as-groups': ['x', 'y'] },
      { 'impersonate-user': 'john', 'impersonate-group': 'x, y' },
    ],
    [
      'extra fields of an impersonated user, with a name that is no header',
      { token: 'a', as: 'john', 'as-uid': '7', 'as-user-extra': { 'example.com/Scopes': ['x', 'y'], '100%': ['z'] } },
      { 'impersonate-uid': '7', 'impersonate-extra-example.com%2fscopes': 'x, y', 'impersonate-extra-100%25': 'z' },
    ],
  ])('%s', async (_, user, headers) => {
    let sent: object = {};
    const url = await serve((request, response) => {
      sent = request.headers;
      answer(response, 200, {});
    });
    const config = { ...kubeconfig(url), users: [{ name: 'test', user }] };
    const dir = filesOf({ config: JSON.stringify(config), token: 'of-file\n' });
    const cluster = await connect({ kubeconfig: join(dir, 'config') }, {}, never);
    await cluster.request({ path: '/', signal: never });
    cluster.close();
    expect(sent).toMatchObject(headers);
  });
});
