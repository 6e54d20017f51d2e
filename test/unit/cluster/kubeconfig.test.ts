import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ClusterOptions, loadKubeConfig } from '../../../src/cluster/kubeconfig.ts';
import { ClusterError, UsageError } from '../../../src/errors.ts';
import { filesOf, kubeconfig } from './kube-api.ts';

const config = (server: string, name: string): string => JSON.stringify(kubeconfig(server, name));
const server = (options: ClusterOptions, env: NodeJS.ProcessEnv): string | undefined =>
  loadKubeConfig(options, env).getCurrentCluster()?.server;

describe('the kubeconfig', () => {
  const dir = (): string => filesOf({ a: config('https://a', 'one'), b: config('https://b', 'one'), c: config('https://c', 'two') });
  const list = (at: string, ...names: string[]): NodeJS.ProcessEnv => ({ KUBECONFIG: names.map((name) => join(at, name)).join(delimiter) });

  test('the flag wins over the environment', () => {
    const at = dir();
    expect(server({ kubeconfig: join(at, 'c') }, list(at, 'a'))).toBe('https://c');
  });

  test('in a list, the first definition of a name wins', () => {
    const at = dir();
    expect(server({}, list(at, 'a', 'b', 'c'))).toBe('https://a');
    expect(server({}, list(at, 'b', 'a'))).toBe('https://b');
    expect(server({ context: 'two' }, list(at, 'a', 'c'))).toBe('https://c');
  });

  test('missing files and empty entries of a list are skipped', () => {
    const at = dir();
    expect(server({}, { KUBECONFIG: `${delimiter}${join(at, 'none')}${delimiter}${join(at, 'c')}${delimiter}` })).toBe('https://c');
  });

  test('a list of empty entries is not the default', () => {
    const home = filesOf({});
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube', 'config'), config('https://a', 'one'));
    expect(server({}, { HOME: home, KUBECONFIG: '' })).toBe('https://a');
    expect(() => server({}, { HOME: home, KUBECONFIG: delimiter })).toThrow('KUBECONFIG does not name a file');
  });

  test('parts of one context may be in several files', () => {
    const { clusters, users, contexts, ...rest } = kubeconfig('https://a', 'one') as Record<string, unknown>;
    const at = filesOf({
      contexts: JSON.stringify({ ...rest, contexts }),
      others: JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters, users }),
      empty: '',
    });
    expect(server({}, list(at, 'contexts', 'others'))).toBe('https://a');
    expect(server({}, list(at, 'empty', 'contexts', 'others'))).toBe('https://a');
  });

  test('the default is ~/.kube/config, also for an empty KUBECONFIG', () => {
    const home = filesOf({});
    expect(() => server({}, { HOME: home, KUBECONFIG: '' })).toThrow(`${join(home, '.kube', 'config')} does not exist`);
  });
});

describe('a file is read as kubectl reads it', () => {
  const text = config('https://a', 'one');
  test.each<[string, string | Buffer]>([
    ['in UTF-16, as Windows PowerShell writes it', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['with a byte order mark', `\ufeff${text}`],
    ['with the last of a duplicate key', text.replace('{', '{"current-context": "two", ')],
    ['with the first of several documents', `${text}\n---\n${config('https://b', 'two')}`],
    ['with unknown fields', JSON.stringify({ ...JSON.parse(text), preferences: { colors: true }, x: [] })],
    ['without kind and apiVersion', JSON.stringify({ ...JSON.parse(text), kind: undefined, apiVersion: undefined })],
  ])('%s', (_, content) => {
    const dir = filesOf({});
    writeFileSync(join(dir, 'config'), content);
    expect(server({ kubeconfig: join(dir, 'config') }, {})).toBe('https://a');
  });

  test('relative paths start at its directory', () => {
    const at = filesOf({ token: 'x' });
    const users = [{ name: 'test', user: { tokenFile: 'token' } }];
    writeFileSync(join(at, 'config'), JSON.stringify({ ...kubeconfig('https://a'), users }));
    expect(loadKubeConfig({ kubeconfig: join(at, 'config') }, {}).getCurrentUser()).toMatchObject({ tokenFile: join(at, 'token') });
  });
});

describe('the proxy', () => {
  const env = { HTTPS_PROXY: 'proxy:3128' };
  const proxyOf = (cluster: object): string | undefined => {
    const at = filesOf({ config: JSON.stringify({ ...kubeconfig('https://a'), clusters: [{ name: 'test', cluster }] }) });
    return loadKubeConfig({ kubeconfig: join(at, 'config') }, env).getCurrentCluster()?.proxyUrl;
  };

  test('of the environment is used where the kubeconfig has none', () => {
    expect(proxyOf({ server: 'https://a' })).toBe('http://proxy:3128');
    expect(proxyOf({ server: 'https://a', 'proxy-url': 'http://own' })).toBe('http://own');
    expect(proxyOf({ server: 'https://127.0.0.1' })).toBeUndefined();
  });
});

describe('errors of one line', () => {
  const withContext = (change: object): string => JSON.stringify({ ...kubeconfig('https://a'), ...change });
  const entry = (key: string, name = 'tets') => [{ name, [key]: { server: 'https://a' } }];
  const another = /^Set --kubeconfig or KUBECONFIG to /;
  test.each<[string, string | Buffer, ClusterOptions, RegExp, RegExp]>([
    [
      'a context that does not exist',
      withContext({}),
      { context: 'tset' },
      /^context "tset" not found in .*config$/,
      /^Did you mean "test"\? Choose a context with --context: test\.$/,
    ],
    ['no current context', withContext({ 'current-context': '' }), {}, /^kubeconfig .*config has no current context$/, /^Choose a context/],
    [
      'a context without its cluster',
      withContext({ clusters: entry('cluster') }),
      {},
      /^cluster "test" of context "test" not found in .*config$/,
      /^Did you mean "tets"\? .* kubectl config set-context test --cluster=tets$/,
    ],
    [
      'a context without its user',
      withContext({ users: entry('user') }),
      {},
      /^user "test" of context "test" not found in .*config$/,
      /^Did you mean "tets"\? .* kubectl config set-context test --user=tets$/,
    ],
    ['no users', withContext({ users: [] }), {}, /^user "test" of context "test" not found in .*config$/, /^Add a user to the kubeconfig/],
    ['no YAML', '{', {}, /^failed to read kubeconfig .*config: yaml: line 1: [^\n]+$/, /^Correct line 1 of .*config\.$/],
    ['only a text', 'hello', {}, /^failed to read kubeconfig .*config: the file must be a mapping, not a string$/, another],
    ['an empty file', '', {}, /^kubeconfig .*config has no current context$/, another],
    ['a manifest', 'apiVersion: v1\nkind: Pod', {}, /: the file contains kind "Pod" of "v1", not kind "Config" of "v1"$/, another],
    ['another version', 'apiVersion: v2\nkind: Config', {}, /: the file contains kind "Config" of "v2", not /, another],
    [
      'bytes',
      Buffer.from([0x30, 0x82, 0x01, 0xff, 0x00]),
      {},
      /^failed to read kubeconfig .*config: it is a binary file, not YAML$/,
      another,
    ],
    ['control characters', 'apiVersion: v1\0', {}, /: it is a binary file, not YAML$/, another],
    [
      'a mapping of clusters',
      withContext({ clusters: { a: {} } }),
      {},
      /: clusters must be a list, not a mapping$/,
      /^Correct clusters in /,
    ],
    ['a text as an entry', withContext({ users: ['a'] }), {}, /: users\[0\] must be a mapping, not a string$/, /^Correct users\[0\] in /],
    [
      'two entries with one name',
      withContext({ users: [...entry('user'), ...entry('user')] }),
      {},
      /: users has two entries with the name "tets"$/,
      /^Remove/,
    ],
  ])('%s', (_, text, options, message, fix) => {
    const dir = filesOf({});
    writeFileSync(join(dir, 'config'), text);
    let error: unknown;
    try {
      loadKubeConfig({ kubeconfig: join(dir, 'config'), ...options }, {});
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
    expect((error as UsageError).fix).toMatch(fix);
  });

  test('a line end in a name is escaped, and the name still selects its entry', () => {
    const parts = { users: entry('user', 'a\nb'), clusters: entry('cluster', 'c\nd') };
    const contexts = [{ name: 'e\nf', context: { cluster: 'c\nd', user: 'a\nb' } }];
    const at = filesOf({ good: withContext({ ...parts, contexts }), bad: withContext({ ...parts, contexts, users: [] }) });
    const context = 'e\nf';
    expect(loadKubeConfig({ kubeconfig: join(at, 'good'), context }, {}).getCurrentUser()?.name).toBe('a\\x0ab');
    expect(() => loadKubeConfig({ kubeconfig: join(at, 'bad'), context }, {})).toThrow('user "a\\x0ab" of context "e\\x0af" not found');
    expect(() => loadKubeConfig({ kubeconfig: join(at, 'good'), context: 'nothing\n' }, {})).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^context "nothing\\x0a" not found/),
        fix: 'Choose a context with --context: e\\x0af.',
      }),
    );
  });

  test('a syntax error does not quote the file', () => {
    const kubeconfig = join(filesOf({ config: 'users:\n- name: a\n  user:\n    token: secret: more\n' }), 'config');
    expect(() => loadKubeConfig({ kubeconfig }, {})).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }));
  });

  test('list the existing contexts', () => {
    const kubeconfig_ = join(filesOf({ config: withContext({}) }), 'config');
    expect(() => loadKubeConfig({ kubeconfig: kubeconfig_, context: 'nope' }, {})).toThrow(
      expect.objectContaining({ fix: 'Choose a context with --context: test.' }),
    );
  });

  test('a missing file, and no cluster at all', () => {
    expect(() => loadKubeConfig({ kubeconfig: '/nonexistent/config' }, {})).toThrow('kubeconfig /nonexistent/config not found');
    const none = () => loadKubeConfig({}, { HOME: '/nonexistent', KUBECONFIG: '/nonexistent/config' });
    expect(none).toThrow(UsageError);
    expect(none).toThrow('kubeconfig /nonexistent/config not found');
    expect(() => loadKubeConfig({}, { HOME: '/nonexistent' })).toThrow(ClusterError);
  });
});
