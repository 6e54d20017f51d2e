import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPrograms } from '../../../../src/sandbox/real/assets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apisvc-assets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(...paths: string[]): void {
  for (const path of paths) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    chmodSync(file, 0o755);
  }
}

const built = () => ({ APISVC_COMPONENTS_CACHE: join(folder, 'cache') });

test('in a folder that is named, with kube-controller-manager where it is there', () => {
  put('bin/etcd', 'bin/kube-apiserver');
  const assets = join(folder, 'bin');
  const expected = { etcd: join(assets, 'etcd'), kubeApiserver: join(assets, 'kube-apiserver') };
  expect(findPrograms({ assets, env: {} })).toEqual({ ...expected, kubeControllerManager: undefined });
  expect(findPrograms({ env: { KUBEBUILDER_ASSETS: assets } })).toMatchObject(expected);
  put('bin/kube-controller-manager');
  expect(findPrograms({ assets, env: {} })).toEqual({ ...expected, kubeControllerManager: join(assets, 'kube-controller-manager') });
});

test('a folder that is named must have them, and they must be programs', () => {
  put('bin/etcd');
  writeFileSync(join(folder, 'bin/kube-apiserver'), '', { mode: 0o644 });
  const assets = join(folder, 'bin');
  expect(() => findPrograms({ assets, env: {} })).toThrow(`--assets: kube-apiserver not in ${assets}`);
  expect(() => findPrograms({ env: { KUBEBUILDER_ASSETS: '/nowhere' } })).toThrow(
    'KUBEBUILDER_ASSETS: etcd and kube-apiserver not in /nowhere',
  );
});

test('what was built here: the newest version, or the one that is wanted, and etcd of any', () => {
  put('cache/kubernetes-1.35-b/kube-apiserver', 'cache/kubernetes-1.35-b/kube-controller-manager');
  expect(findPrograms({ env: built() })).toBeUndefined();
  put('cache/kubernetes-1.37-a/kube-apiserver', 'cache/kubernetes-1.37-a/etcd', 'cache/kubernetes-1.37-0/etcd', 'cache/images/etcd');
  const at = (...path: string[]): string => join(folder, 'cache', ...path);
  expect(findPrograms({ env: built() })).toEqual({
    etcd: at('kubernetes-1.37-a', 'etcd'),
    kubeApiserver: at('kubernetes-1.37-a', 'kube-apiserver'),
    kubeControllerManager: undefined,
  });
  expect(findPrograms({ env: built(), kubernetes: '1.35' })).toEqual({
    etcd: at('kubernetes-1.37-a', 'etcd'),
    kubeApiserver: at('kubernetes-1.35-b', 'kube-apiserver'),
    kubeControllerManager: at('kubernetes-1.35-b', 'kube-controller-manager'),
  });
});

test('a version means those that were built here, whatever KUBEBUILDER_ASSETS says', () => {
  put('bin/etcd', 'bin/kube-apiserver');
  expect(findPrograms({ env: { ...built(), KUBEBUILDER_ASSETS: join(folder, 'bin') }, kubernetes: '1.37' })).toBeUndefined();
});

test('nowhere', () => {
  expect(findPrograms({ env: built() })).toBeUndefined();
});
