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

test('finds programs in --assets or KUBEBUILDER_ASSETS, with kube-controller-manager if it exists', () => {
  put('bin/etcd', 'bin/kube-apiserver');
  const assets = join(folder, 'bin');
  const expected = { etcd: join(assets, 'etcd'), kubeApiserver: join(assets, 'kube-apiserver') };
  expect(findPrograms({ assets, env: {} })).toEqual({ ...expected, kubeControllerManager: undefined });
  expect(findPrograms({ env: { KUBEBUILDER_ASSETS: assets } })).toMatchObject(expected);
  put('bin/kube-controller-manager');
  expect(findPrograms({ assets, env: {} })).toEqual({ ...expected, kubeControllerManager: join(assets, 'kube-controller-manager') });
});

test('--assets and KUBEBUILDER_ASSETS must have executable programs', () => {
  put('bin/etcd');
  writeFileSync(join(folder, 'bin/kube-apiserver'), '', { mode: 0o644 });
  const assets = join(folder, 'bin');
  expect(() => findPrograms({ assets, env: {} })).toThrow(
    expect.objectContaining({
      message: `--assets: permission denied to run kube-apiserver in ${assets}`,
      fix: `chmod a+x ${assets} ${join(assets, 'kube-apiserver')}`,
    }),
  );
  rmSync(join(assets, 'kube-apiserver'));
  expect(() => findPrograms({ assets, env: {} })).toThrow(`--assets: kube-apiserver not found in ${assets}`);
  rmSync(join(assets, 'etcd'));
  expect(() => findPrograms({ env: { KUBEBUILDER_ASSETS: assets } })).toThrow(
    `KUBEBUILDER_ASSETS: etcd and kube-apiserver not found in ${assets}`,
  );
  expect(() => findPrograms({ env: { KUBEBUILDER_ASSETS: '/nowhere' } })).toThrow('failed to read /nowhere: no such file or directory');
});

test('finds none when neither is set', () => {
  expect(findPrograms({ env: {} })).toBeUndefined();
});
