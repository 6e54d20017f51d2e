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
  test.each([
    ['a context that does not exist', withContext({}), { context: 'nope' }, /^context "nope" not found in .*config$/],
    ['no current context', withContext({ 'current-context': '' }), {}, /^kubeconfig .*config has no current context$/],
    ['a context without its cluster', withContext({ clusters: [] }), {}, /^cluster "test" of context "test" not found in .*config$/],
    ['a context without its user', withContext({ users: [] }), {}, /^user "test" of context "test" not found in .*config$/],
    ['no YAML', '{', {}, /^failed to read kubeconfig .*config: [^\n]+$/],
    ['only a text', 'hello', {}, /^(failed to read kubeconfig .*config: [^\n]+|kubeconfig .*config has no current context)$/],
    ['an empty file', '', {}, /^kubeconfig .*config has no current context$/],
  ])('%s', (_, text, options, message) => {
    const kubeconfig = join(filesOf({ config: text }), 'config');
    let error: unknown;
    try {
      loadKubeConfig({ kubeconfig, ...options }, {});
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
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
