import { describe, expect, test } from 'vitest';
import { Exit } from '../../../src/errors.ts';
import { type Made, make } from '../pki/certificates.ts';
import { base64, jane, pemKey, refusal, server } from './refused-kubeconfig.ts';

/** The words are those of kubectl 1.37, which refuses the same kubeconfigs. */

const john = await make({ commonName: 'john' });
const exec = { command: 'aws', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' };
const data = (made: Made) => ({ 'client-certificate-data': base64(made.info.pem), 'client-key-data': base64(pemKey(made)) });

describe('a user that kubectl refuses', () => {
  test.each<[string, object, string, string]>([
    [
      'a client certificate without a key',
      { 'client-certificate-data': base64(jane.info.pem) },
      'client-key-data or client-key must be specified for jane to use the clientCert authentication method',
      'kubectl config set-credentials jane --client-certificate=FILE --client-key=FILE --embed-certs',
    ],
    [
      'a client key without a certificate',
      { 'client-key': 'key' },
      'client-cert-data or client-cert must be specified for jane to use the clientCert authentication method',
      'kubectl config set-credentials jane',
    ],
    [
      'files that do not exist',
      { 'client-certificate': '/nope/crt', 'client-key': '/nope/key' },
      'unable to read client-cert /nope/crt for jane due to open /nope/crt: no such file or directory; unable to read client-key /nope/key for jane due to open /nope/key: no such file or directory',
      'kubectl config set-credentials jane',
    ],
    [
      'a certificate that is none',
      { ...data(jane), 'client-certificate-data': base64('hi') },
      'tls: failed to find any PEM data in certificate input',
      'set-credentials jane',
    ],
    [
      'a key that is none',
      { ...data(jane), 'client-key-data': base64('hi') },
      'tls: failed to find any PEM data in key input',
      'set-credentials jane',
    ],
    [
      'a damaged key',
      { ...data(jane), 'client-key-data': base64('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n') },
      'tls: failed to parse private key',
      'set-credentials jane',
    ],
    [
      'the key of another certificate',
      { ...data(jane), 'client-key-data': base64(pemKey(john)) },
      'tls: private key does not match public key',
      'set-credentials jane',
    ],
    [
      'base64 that is none',
      { ...data(jane), 'client-key-data': '###' },
      'users[0].user.client-key-data is not valid base64',
      'log in again',
    ],
    [
      'both a file and data',
      { ...data(jane), 'client-key': 'key' },
      'client-key-data and client-key are both specified for jane',
      'Remove one of them from user "jane"',
    ],
    [
      'a tokenFile that does not exist',
      { tokenFile: '/nope' },
      'unable to read tokenFile /nope for jane due to open /nope: no such file or directory',
      'Set tokenFile of user "jane"',
    ],
    ['an empty tokenFile', { tokenFile: 'empty' }, 'for jane: it is empty', 'Set tokenFile of user "jane"'],
    [
      'a token and a password',
      { token: 'a', username: 'b', password: 'c' },
      'more than one authentication method found for jane; found [token basicAuth], only one is allowed',
      'Remove one of them from user "jane"',
    ],
    [
      'groups without a user',
      { 'as-groups': ['a'] },
      'requesting uid, groups or user-extra for jane without impersonating a user',
      'Set "as" of user "jane"',
    ],
    [
      'extra fields without a user',
      { 'as-user-extra': { scopes: ['a'] } },
      'requesting uid, groups or user-extra for jane without impersonating a user',
      'or remove "as-uid", "as-groups" and "as-user-extra".',
    ],
    [
      'an extra field that is no list',
      { as: 'john', 'as-user-extra': { scopes: 'a' } },
      'users[0].user.as-user-extra.scopes must be a list of strings, not a string',
      'Correct users[0].user.as-user-extra.scopes',
    ],
    [
      'a number as a token',
      { token: 5 },
      'users[0].user.token must be a string, not a number',
      'Put the value of users[0].user.token in quotes.',
    ],
    [
      'a plugin without command',
      { exec: { ...exec, command: '' } },
      'command must be specified for jane to use exec authentication plugin',
      'Set exec.command of user "jane"',
    ],
    [
      'a plugin without apiVersion',
      { exec: { ...exec, apiVersion: undefined } },
      'apiVersion must be specified for jane to use exec authentication plugin',
      'Set exec.apiVersion',
    ],
    [
      'a plugin of an old version',
      { exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
      'exec plugin: invalid apiVersion "client.authentication.k8s.io/v1alpha1" for jane',
      'Update the credential plugin "aws"',
    ],
    [
      'a plugin without interactiveMode',
      { exec: { ...exec, interactiveMode: undefined } },
      'interactiveMode must be specified for jane to use exec authentication plugin',
      'IfAvailable',
    ],
    ['an unknown interactiveMode', { exec: { ...exec, interactiveMode: 'x' } }, 'invalid interactiveMode for jane: "x"', 'IfAvailable'],
    [
      'a variable without a name',
      { exec: { ...exec, env: [{ value: 'x' }] } },
      'env variable name must be specified for jane to use exec authentication plugin',
      'exec.env',
    ],
    [
      'two ways to log in',
      { exec, 'auth-provider': { name: 'oidc' } },
      'authProvider cannot be provided in combination with an exec plugin for jane',
      'Remove auth-provider',
    ],
    [
      'auth-provider gcp',
      { 'auth-provider': { name: 'gcp' } },
      'the gcp auth plugin of user "jane" has been removed',
      'gcloud container clusters get-credentials',
    ],
    [
      'auth-provider azure',
      { 'auth-provider': { name: 'azure' } },
      'the azure auth plugin of user "jane" has been removed',
      'kubelogin convert-kubeconfig',
    ],
    ['another auth-provider', { 'auth-provider': { name: 'x' } }, 'no Auth Provider found for name "x" of user "jane"', 'log in again'],
    [
      'auth-provider oidc without issuer',
      { 'auth-provider': { name: 'oidc', config: {} } },
      'Must provide idp-issuer-url for auth provider oidc of user "jane"',
      'idp-issuer-url',
    ],
  ])('%s', async (_, user, message, fix) => {
    const error = await refusal({ user });
    expect(error).toMatchObject({ exitCode: Exit.usage, message: expect.stringContaining(message), fix: expect.stringContaining(fix) });
    expect(error.message).not.toContain('\n');
  });
});

describe('a cluster that kubectl refuses', () => {
  const key = 'certificate-authority-data';
  test.each<[string, object, string, string]>([
    [
      'without a server',
      { server: '' },
      'no server found for cluster "kind"',
      'kubectl config set-cluster kind --server=https://HOST:6443',
    ],
    [
      'whose server has no scheme',
      { server: '10.0.0.1:6443' },
      'server "10.0.0.1:6443" of cluster "kind" has no scheme',
      '--server=https://10.0.0.1:6443',
    ],
    [
      'whose server has no host',
      { server: 'https://' },
      'host must be a URL or a host:port pair: "https://"',
      '--server=https://HOST:6443',
    ],
    [
      'whose server has another scheme',
      { server: 'ftp://me:secret@x' },
      'server "ftp://x" of cluster "kind": unsupported protocol scheme "ftp"',
      '--server=',
    ],
    [
      'whose proxy has a password that is not encoded',
      { server, 'proxy-url': 'http://me:s3cr/e@t@proxy:3128' },
      `invalid 'proxy-url' "http://proxy:3128" for cluster "kind"`,
      '--proxy-url=',
    ],
    ['whose server is a number', { server: 5 }, 'clusters[0].cluster.server must be a string, not a number', 'in quotes'],
    ['whose proxy is none', { server, 'proxy-url': 'foo://x' }, `invalid 'proxy-url' "foo://x" for cluster "kind"`, '--proxy-url='],
    [
      'whose CA file does not exist',
      { server, 'certificate-authority': '/nope' },
      'unable to read certificate-authority /nope for kind due to open /nope: no such file or directory',
      'kubectl config set-cluster kind --certificate-authority=',
    ],
    [
      'whose CA file is a key',
      { server, 'certificate-authority': 'key' },
      'unable to load root certificates: no valid certificate authority data seen',
      'set-cluster kind',
    ],
    [
      'whose CA is no PEM',
      { server, [key]: base64('hello') },
      'certificate-authority-data of cluster "kind": unable to load root certificates: unable to parse bytes as PEM block',
      'set-cluster kind',
    ],
    ['whose CA is no base64', { server, [key]: '%%' }, 'clusters[0].cluster.certificate-authority-data is not valid base64', 'Replace'],
    [
      'with a CA file and CA data',
      { server, [key]: base64(jane.info.pem), 'certificate-authority': 'certificate' },
      'are both specified for kind',
      'Remove one of them',
    ],
    [
      'with a CA that is not used',
      { server, [key]: base64(jane.info.pem), 'insecure-skip-tls-verify': true },
      'specifying a root certificates file with the insecure flag is not allowed',
      'Remove insecure-skip-tls-verify',
    ],
    [
      'with an extension twice',
      { server, extensions: [{ name: 'a' }, { name: 'a' }] },
      'clusters[0].cluster.extensions has two entries with the name "a"',
      'Remove or rename one of them.',
    ],
    [
      'with a text as a boolean',
      { server, 'insecure-skip-tls-verify': 'true' },
      'clusters[0].cluster.insecure-skip-tls-verify must be a boolean, not a string',
      'Correct',
    ],
  ])('%s', async (_, cluster, message, fix) => {
    const error = await refusal({ cluster });
    expect(error).toMatchObject({ exitCode: Exit.usage, message: expect.stringContaining(message), fix: expect.stringContaining(fix) });
    expect(error.message).not.toContain('secret');
  });
});
