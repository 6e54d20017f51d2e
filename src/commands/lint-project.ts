import { join } from 'node:path';
import type { ProjectCommands } from '../config/project-commands.ts';
import { secretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import type { Location } from '../diagnosis/types.ts';
import { UsageError } from '../errors.ts';
import { renderManifests } from '../manifests/render.ts';
import { base64 } from '../manifests/secret.ts';
import type { KubeObject, ManifestText } from '../manifests/types.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { Issued } from '../pki/types.ts';
import { readCertificates, requireCertificates } from '../project/certificates.ts';
import { issuedInFiles, keepsCertificates } from '../project/issued.ts';
import { isProject, projectFiles, readRegistration, requireDirectory } from '../project/project.ts';
import { readText } from '../project/read.ts';
import type { ObjectField } from '../snapshot/offline/objects.ts';
import { offlineSnapshot } from '../snapshot/offline/snapshot.ts';
import type { Snapshot } from '../snapshot/types.ts';
import { projectCommands } from './selection.ts';

export interface ProjectSnapshot {
  readonly snapshot: Snapshot;
  /** The file of the project that a field of a rendered object comes from. */
  readonly place: (about: ObjectField) => Location;
  /** For the commands in fixes. */
  readonly project: ProjectCommands;
}

/**
 * What `render` would print for a project, with its certificates as they are.
 * @throws UsageError for a configuration that is not valid, and without readable certificates,
 * or with a key that does not fit
 */
export function projectSnapshot(dir: string, now: Date): ProjectSnapshot {
  if (!isProject(dir)) {
    requireDirectory(dir);
    throw new UsageError(`no file given, and no apisvc.yaml in ${dir === '.' ? 'this directory' : dir}`, {
      fix: 'Pass manifests or directories of them, or set the project directory with -C.',
    });
  }
  const registration = readRegistration(dir);
  const { caBundle } = responsibilitiesOf(registration);
  const inProject = keepsCertificates(dir, registration);
  const issued = inProject ? readable(dir, registration, now) : issuedInFiles(dir, registration, { withKey: false, now });
  const { configuration, caCertificate, certificate, key } = projectFiles(dir);
  const { snapshot } = offlineSnapshot(textsOf(registration, issued), now);
  const text = readText(configuration);
  return {
    snapshot: {
      ...snapshot,
      source: { kind: 'files', files: inProject ? [configuration, caCertificate, certificate] : [configuration] },
      apis: snapshot.apis.map((api) => {
        if (!api.related) return api;
        const missing = inProject ? { missingKey: `${key} not found` } : {};
        // register writes a caBundle that only the cluster has.
        const writers = caBundle === 'apisvc' && !issued ? { writers: ['apisvc register'] } : {};
        return { ...api, related: { ...api.related, ...missing, ...writers } };
      }),
    },
    place: ({ kind, name, path }) => {
      if (kind === 'Secret') return { file: certificate, line: 1 };
      if (kind === 'APIService' && path.includes('caBundle') && inProject) return { file: caCertificate, line: 1 };
      return { file: configuration, line: kind === 'APIService' ? lineOfGroup(text, name) : 1 };
    },
    project: projectCommands(dir, registration),
  };
}

/** The checks of lint find most faults, and say where they are. git ignores the key. */
function readable(dir: string, registration: Registration, now: Date): Issued {
  const { faults, ...found } = readCertificates(dir, registration, { withKey: true, now });
  const unreadable = found.chain === '' || found.anchors.length === 0;
  const wrongKey = faults.some(({ part, code }) => part === 'key' && code !== 'file-not-found');
  return unreadable || wrongKey ? requireCertificates(dir, registration, { withKey: wrongKey, now }) : found;
}

const textsOf = (registration: Registration, issued: Issued | undefined): ManifestText[] => {
  const { external } = registration.spec.server;
  const manifests = renderManifests(registration, issued, { secrets: issued?.key ? 'include' : 'omit' }).map(({ object }) => object);
  // The private key may be on another machine.
  const objects = !issued?.chain || issued.key || external ? manifests : [...manifests, secretWithoutKey(registration, issued)];
  return [{ file: join('.', 'apisvc.yaml'), text: objects.map((object) => JSON.stringify(object)).join('\n') }];
};

const secretWithoutKey = (registration: Registration, issued: Issued): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: secretName(registration), namespace: registration.metadata.namespace },
  type: 'kubernetes.io/tls',
  data: { 'ca.crt': base64(caBundleOf(issued)), 'tls.crt': base64(issued.chain) },
});

/** The line of apisvc.yaml that names the group of an APIService. */
const lineOfGroup = (text: string, name: string): number => {
  const group = name.slice(name.indexOf('.') + 1);
  return (
    Math.max(
      text.split('\n').findIndex((line) => line.includes(group)),
      0,
    ) + 1
  );
};
