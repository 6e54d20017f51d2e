import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { debianPackageOf, osRelease } from './debian.mjs';
import { tarFlags } from './tar.mjs';

/** The libraries that the executable loads (ldd), beside its loader. */
export const libraries = ['libatomic.so.1', 'libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libm.so.6', 'libpthread.so.0', 'libstdc++.so.6'];

/**
 * Where Debian has the libraries of a platform, and where the loader is in an image.
 * @type {Readonly<Record<string, { folder: string, loader: string }>>}
 */
const systems = {
  'linux-x64': { folder: '/usr/lib/x86_64-linux-gnu', loader: '/lib64/ld-linux-x86-64.so.2' },
  'linux-arm64': { folder: '/usr/aarch64-linux-gnu/lib', loader: '/lib/ld-linux-aarch64.so.1' },
};

/** The user of the container. Kubernetes checks `runAsNonRoot` only against a number. */
const user = '65532';
const oci = 'application/vnd.oci.image';

/**
 * @typedef {import('./targets.mjs').Target} Target
 * @typedef {{ mediaType: string, digest: string, size: number }} Descriptor
 * @typedef {{ name: string, version: string, architecture: string }} DebianPackage
 */

/** Whether this machine has the libraries for an image. @param {Target} target */
export const canMakeImage = ({ name }) => systems[name] !== undefined && existsSync(join(systems[name].folder, 'libc.so.6'));

/**
 * Makes a container image of the executables and the Debian libraries of this machine, as an OCI
 * image layout in an archive (OCI image specification 1.1, image-layout.md). The same executables
 * and libraries give the same archive.
 * @param {object} options
 * @param {string} options.version the reference of the image in the archive
 * @param {string} options.repository its URL
 * @param {readonly { target: Target, archive: string }[]} options.platforms with the archives of
 * the executables
 * @param {string} options.output
 * @returns {DebianPackage[]} the Debian packages in it
 */
export function makeImage({ version, repository, platforms, output }) {
  const work = mkdtempSync(join(tmpdir(), 'apisvc-image-'));
  const before = process.umask(0o022);
  try {
    const layout = join(work, 'layout');
    mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true });
    const annotations = {
      'org.opencontainers.image.title': 'apisvc',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.source': repository,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    };
    const images = platforms.map((platform) => makePlatform({ ...platform, annotations, layout, work }));
    const manifests = images.map(({ manifest, target }) => ({ ...manifest, platform: { architecture: target.arch, os: 'linux' } }));
    const index = { schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests, annotations };
    const descriptor = writeBlob(layout, `${oci}.index.v1+json`, JSON.stringify(index));
    const name = { 'org.opencontainers.image.ref.name': version };
    const top = { schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests: [{ ...descriptor, annotations: name }] };
    writeFileSync(join(layout, 'index.json'), JSON.stringify(top));
    writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    execFileSync('tar', [...tarFlags, '-cf', output, '-C', layout, 'blobs', 'index.json', 'oci-layout']);
    return images.flatMap(({ packages }) => packages);
  } finally {
    process.umask(before);
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Writes the image of one platform.
 * @param {{ target: Target, archive: string, annotations: Record<string, string>, layout: string,
 *   work: string }} options
 */
function makePlatform({ target, archive, annotations, layout, work }) {
  const base = join(work, target.name, 'base');
  const packages = writeLibraries(target, base);
  const program = join(work, target.name, 'program');
  const [bin, documents] = ['usr/local/bin', 'usr/share/doc/apisvc'].map((path) => folderIn(program, path));
  execFileSync('tar', ['-xzf', archive, '--no-same-owner', '-C', bin, 'apisvc']);
  execFileSync('tar', ['-xzf', archive, '--no-same-owner', '-C', documents, 'LICENSE', 'THIRD-PARTY-NOTICES.txt']);

  const layers = [base, program].map((root) => writeLayer(layout, root));
  const configuration = {
    architecture: target.arch,
    os: 'linux',
    config: { User: `${user}:${user}`, Env: ['PATH=/usr/local/bin'], Entrypoint: ['/usr/local/bin/apisvc'], Labels: annotations },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: writeBlob(layout, `${oci}.config.v1+json`, JSON.stringify(configuration)),
    layers: layers.map(({ descriptor }) => descriptor),
    annotations,
  };
  return { target, packages, manifest: writeBlob(layout, manifest.mediaType, JSON.stringify(manifest)) };
}

/**
 * Writes the libraries with their licences, and what Debian's package manager knows about them:
 * scanners look for it in status.d when an image has no package manager.
 * @param {Target} target
 * @param {string} root
 */
function writeLibraries({ name }, root) {
  const { folder, loader } = systems[name];
  folderIn(root, dirname(loader));
  folderIn(root, 'lib');
  const sources = [...libraries, basename(loader)].map((library) => join(folder, library));
  for (const source of sources) {
    const path = source.endsWith(basename(loader)) ? loader : join('lib', basename(source));
    copyFileSync(realpathSync(source), join(root, path));
  }
  const packages = [...new Map(sources.map((source) => debianPackageOf(realpathSync(source))).map((each) => [each.name, each])).values()];
  for (const each of packages) {
    writeFileSync(join(folderIn(root, 'var/lib/dpkg/status.d'), each.name), each.status);
    copyFileSync(`/usr/share/doc/${each.name}/copyright`, join(folderIn(root, `usr/share/doc/${each.name}`), 'copyright'));
  }
  const etc = folderIn(root, 'etc');
  // Scanners look up the packages of this distribution.
  writeFileSync(join(etc, 'os-release'), osRelease());
  writeFileSync(join(etc, 'passwd'), `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${user}:${user}:nonroot:/:/sbin/nologin\n`);
  writeFileSync(join(etc, 'group'), `root:x:0:\nnonroot:x:${user}:\n`);
  chmodSync(folderIn(root, 'tmp'), 0o1777);
  return packages;
}

/** @param {string} root @param {string} path */
function folderIn(root, path) {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}

/** @param {string} layout @param {string} root of the files */
function writeLayer(layout, root) {
  const tar = execFileSync('tar', [...tarFlags, '-cf', '-', '-C', root, '.'], { maxBuffer: 2 ** 30 });
  return { diffId: digestOf(tar), descriptor: writeBlob(layout, `${oci}.layer.v1.tar+gzip`, gzipSync(tar)) };
}

/**
 * @param {string} layout
 * @param {string} mediaType
 * @param {string | Buffer} content
 * @returns {Descriptor}
 */
function writeBlob(layout, mediaType, content) {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes);
  writeFileSync(join(layout, 'blobs', ...digest.split(':')), bytes);
  return { mediaType, digest, size: bytes.length };
}

/** @param {Buffer} bytes */
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
