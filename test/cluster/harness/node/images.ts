import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { output } from '../../../../src/sandbox/shared/command.ts';
import { type Programs, program } from '../programs.ts';

/** Images by program. An image that a preset uses has the name from the preset. */
const images = {
  pause: 'registry.k8s.io/pause:3.10',
  etcd: 'registry.k8s.io/etcd:3.7.0-0',
  'metrics-server': 'registry.k8s.io/metrics-server/metrics-server:v0.9.0',
  'sample-apiserver': 'docker.io/library/sample-apiserver:0.37.2',
  'apiextensions-apiserver': 'docker.io/library/apiextensions-apiserver:0.37.2',
  'test-adapter': 'docker.io/library/test-adapter:1.37.0',
  'any-api': 'docker.io/library/any-api:0.37.2',
  // The name in docs/dns-webhooks.md.
  'dns-webhook': 'registry.example.com/dns-webhook:1.0.0',
};

/** The image of the container that keeps the namespaces of a pod open. */
export const pauseImage = images.pause;

/** An image that contains one program, which is its entry point. */
export interface ProgramImage {
  /** Path of the program. */
  readonly path: string;
  readonly image: string;
}

/** The images on every node. */
export const imagesOf = (programs: Programs): ProgramImage[] =>
  Object.entries(images).map(([name, image]) => ({ path: program(programs, name), image }));

/**
 * Packs images into an archive in the format of `docker save`.
 * @param folder - must not exist
 * @returns path of the archive
 */
export async function packImages(images: readonly ProgramImage[], folder: string): Promise<string> {
  await mkdir(folder);
  const manifest = await Promise.all(images.map((image) => packImage(folder, image)));
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const archive = `${folder}.tar`;
  await output('tar', '-cf', archive, '-C', folder, '.');
  await rm(folder, { recursive: true });
  return archive;
}

/** Writes the layer and the configuration of an image. @returns its entry in the manifest */
async function packImage(folder: string, { path, image }: ProgramImage): Promise<object> {
  const name = basename(path);
  const layer = join(folder, `${name}.tar`);
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=0755'];
  await output('tar', '-cf', layer, ...owner, '--transform=s,^,usr/local/bin/,', '-C', dirname(path), name);
  const configuration = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [`/usr/local/bin/${name}`], Env: ['PATH=/usr/local/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${await digest(layer)}`] },
  };
  await writeFile(join(folder, `${name}.json`), JSON.stringify(configuration));
  return { Config: `${name}.json`, RepoTags: [image], Layers: [`${name}.tar`] };
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
