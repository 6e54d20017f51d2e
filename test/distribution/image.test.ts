import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, inject, test } from 'vitest';
import { distribution } from '../../scripts/release/debian.mjs';
import { libraries } from '../../scripts/release/image.mjs';
import { root } from '../cli/apisvc.ts';

/** The container image of a release: its files. test/cluster/rotation/image.test.ts runs it. */

const release = inject('release');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'apisvc-image-test-'));
const unpack = (from: string, to: string) => execFileSync('tar', ['-xf', join(from, `apisvc-${version}-image.tar`), '-C', to]);
unpack(release, folder);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Reads a blob, which must be what its descriptor says. */
function blob({ digest, size }: Descriptor, image = folder): Buffer {
  const bytes = readFileSync(join(image, 'blobs', ...digest.split(':')));
  expect({ digest: sha256(bytes), size: bytes.length }).toEqual({ digest, size });
  return bytes;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of the OCI image specification.
const json = (descriptor: Descriptor, image = folder): any => JSON.parse(blob(descriptor, image).toString());

function contentsOf(image: string) {
  const top = JSON.parse(readFileSync(join(image, 'index.json'), 'utf8'));
  const index = json(top.manifests[0], image);
  return { top, index, manifest: json(index.manifests[0], image) };
}
const { top, index, manifest } = contentsOf(folder);
const configuration = json(manifest.config);

/** Writes the files of an image. @returns the root directory of a container */
function rootOf(image: string): string {
  const files = join(image, 'files');
  mkdirSync(files);
  for (const layer of contentsOf(image).manifest.layers as Descriptor[]) {
    execFileSync('tar', ['-xf', '-', '-C', files], { input: gunzipSync(blob(layer, image)), maxBuffer: 2 ** 30 });
  }
  return files;
}

test('the archive is an OCI image layout with one image, named by its version', () => {
  expect(JSON.parse(readFileSync(join(folder, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
  expect(top.manifests).toHaveLength(1);
  expect(top.manifests[0].annotations).toEqual({ 'org.opencontainers.image.ref.name': version });
  expect(index.manifests.map(({ platform }: { platform: object }) => platform)).toEqual([{ architecture: 'amd64', os: 'linux' }]);
  expect(manifest.layers.map((layer: Descriptor) => sha256(gunzipSync(blob(layer))))).toEqual(configuration.rootfs.diff_ids);
  const described = [top.manifests[0], index.manifests[0], manifest.config, ...manifest.layers];
  const names = described.map(({ digest }: Descriptor) => digest.replace('sha256:', ''));
  expect(readdirSync(join(folder, 'blobs', 'sha256')).sort()).toEqual(names.sort());
});

test('the container runs apisvc as a user without rights', () => {
  expect(configuration.config).toMatchObject({ User: '65532:65532', Entrypoint: ['/usr/local/bin/apisvc'] });
});

test('the image has the executable, the libraries that it loads with their licences, and nothing else', () => {
  const files = rootOf(folder);
  const loaded = [...execFileSync('ldd', [inject('executable')], { encoding: 'utf8' }).matchAll(/(lib\S+\.so\.\d+) => \//g)];
  expect([...libraries]).toEqual(loaded.map(([, name]) => name).sort());
  expect(readdirSync(join(files, 'lib')).sort()).toEqual([...libraries]);
  expect(readdirSync(files).sort()).toEqual(['etc', 'lib', 'lib64', 'tmp', 'usr', 'var']);
  expect(execFileSync('chroot', [files, '/usr/local/bin/apisvc', '--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
  for (const name of readdirSync(join(files, 'var', 'lib', 'dpkg', 'status.d'))) {
    expect(readFileSync(join(files, 'usr', 'share', 'doc', name, 'copyright'), 'utf8')).toContain('GNU');
  }
});

test('the SBOM names Node.js, the Debian packages and each npm package of the bundle', () => {
  const sbom = JSON.parse(readFileSync(join(release, `apisvc-${version}-image.spdx.json`), 'utf8'));
  const packages: { readonly SPDXID: string; readonly externalRefs: readonly { readonly referenceLocator: string }[] }[] = sbom.packages;
  const urls = packages.flatMap(({ externalRefs }) => externalRefs.map(({ referenceLocator }) => referenceLocator));
  expect(new Set(packages.map(({ SPDXID }) => SPDXID)).size).toBe(urls.length);
  const { id, release: number } = distribution();
  for (const name of ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1']) {
    const ends = urls.filter((url) => url.startsWith(`pkg:deb/${id}/${name}@`)).map((url) => url.slice(url.indexOf('?')));
    expect(ends).toEqual([`?arch=amd64&distro=${id}-${number}`]);
  }
  const notices = readFileSync(join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'), 'utf8').split('\n\n----\n\n');
  expect(urls.filter((url) => url.startsWith('pkg:npm/'))).toHaveLength(notices.length + 1);
  expect(urls).toEqual(
    expect.arrayContaining([expect.stringMatching(/^pkg:npm\/commander@\d/), expect.stringMatching(/^pkg:generic\/node@\d/)]),
  );
  expect(JSON.stringify(sbom)).not.toContain('undefined');
});

test('the Dockerfile copies the same libraries and packages, with the same settings', () => {
  const file = readFileSync(join(root, 'scripts', 'release', 'Dockerfile'), 'utf8');
  const listOf = (variable: string) => new RegExp(`for ${variable} in ([^;]+);`).exec(file)?.[1]?.split(' ').sort();
  expect(listOf('library')).toEqual([...libraries]);
  expect(listOf('package')).toEqual(readdirSync(join(folder, 'files', 'var', 'lib', 'dpkg', 'status.d')).sort());
  const labels = [...file.matchAll(/(org\.opencontainers\S+)=(\S+)/g)].map(([, key, value]) => [key, value?.replace('$VERSION', version)]);
  expect(Object.fromEntries(labels)).toEqual(configuration.config.Labels);
  const settingOf = (instruction: string) => new RegExp(`^${instruction} (.+)$`, 'm').exec(file)?.[1];
  expect(settingOf('USER')).toBe(configuration.config.User);
  expect([settingOf('ENV')]).toEqual(configuration.config.Env);
  expect(JSON.parse(settingOf('ENTRYPOINT') ?? '')).toEqual(configuration.config.Entrypoint);
});

const emulator = '/usr/bin/qemu-aarch64-static';
const isEmulated = [emulator, '/usr/aarch64-linux-gnu/lib/libatomic.so.1'].every((path) => existsSync(path));
if (process.env.APISVC_THOROUGH && isEmulated) {
  test('the executable for arm64 runs with the libraries of its image', { timeout: 600_000 }, () => {
    const output = join(folder, 'arm64');
    const args = ['scripts/release.mjs', '--dry-run', '--no-build', '--only', 'linux-arm64', '--output', output];
    execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    unpack(output, output);
    const files = rootOf(output);
    copyFileSync(emulator, join(files, 'emulator'));
    const run = (flag: string) => execFileSync('chroot', [files, '/emulator', '/usr/local/bin/apisvc', flag], { encoding: 'utf8' });
    expect(run('--version')).toBe(`${version}\n`);
    expect(run('--help')).toMatch(/^Usage: apisvc /);
  });
} else if (process.env.APISVC_THOROUGH) {
  console.error('The image for arm64 is not tested: it needs the Debian packages that CONTRIBUTING.md names for arm64.');
}
