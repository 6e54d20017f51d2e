import type { KubeObject } from '../../manifests/types.ts';
import { notGiven, skipped } from '../observed.ts';
import { readSecret, type SecretContent, viewSecret } from '../secret-content.ts';
import { type CertificateSource, certificateLead } from '../server-view.ts';
import { findServingSecret, whyUnknown } from '../serving-secret.ts';
import type { ApiSnapshot, Observed, SecretView } from '../types.ts';
import { type Json, textOf } from '../views.ts';
import type { OfflineObjects } from './objects.ts';
import { isPlaceholder } from './template.ts';
import type { Workload } from './workloads.ts';

/**
 * The Secret of the files with the serving certificate. Its certificate stands for the served one.
 */

export interface SecretSearch {
  readonly objects: OfflineObjects;
  readonly workload: Workload;
  readonly targetPort: string | undefined;
  /** The name that kube-apiserver verifies. */
  readonly host: string;
  /** The Secrets that a controller creates, and which controller. */
  readonly created: ReadonlyMap<string, string>;
}

type Found = Pick<ApiSnapshot, 'secret' | 'probes'>;

/** The reason is said once, about the certificates. */
const missing = (why: string): Found => ({ secret: skipped(why), probes: notGiven(why) });

/** @returns the Secret, and its certificate as the one that is served; or why they are not known */
export function offlineSecret(search: SecretSearch): Found {
  const { workload, targetPort } = search;
  const lead = certificateLead(workload.pod, targetPort);
  if (lead.kind === 'none' || lead.kind === 'unknown') return missing(lead.words);
  if (lead.kind === 'file') return fromFile(search, lead.source);
  const { mounts, named } = lead;
  const names = [...new Set(mounts.map(({ name }) => name))];
  const contents = names.flatMap((name) => contentOf(search, name) ?? []);
  const found = findServingSecret({ mounts, named, contents, served: [], host: search.host });
  if ('secret' in found) return fromFile(search, found);
  const absent = names.filter((name) => !contents.some((content) => content.name === name));
  if (absent.length > 0) return missing(whyMissing(search, absent));
  const [empty] = contents.filter(({ entries }) => entries.every(({ certificates }) => certificates.length === 0));
  if (empty && contents.length === 1) return missing(`Secret ${search.workload.namespace}/${empty.name} has no certificate yet`);
  return missing(whyUnknown({ names, equal: found, served: [], host: search.host }));
}

const secretOf = ({ objects, workload }: SecretSearch, name: string): (KubeObject & Json) | undefined =>
  objects.find('Secret', workload.namespace, name);

function contentOf(search: SecretSearch, name: string): SecretContent | undefined {
  const object = secretOf(search, name);
  return object && readSecret(object);
}

function fromFile(search: SecretSearch, source: CertificateSource): Found {
  const { workload } = search;
  const object = secretOf(search, source.secret);
  if (!object) return missing(whyMissing(search, [source.secret]));
  const at = `Secret ${workload.namespace}/${source.secret}`;
  const written = textOf(object.stringData?.[source.certificateEntry] ?? object.data?.[source.certificateEntry]);
  // Controllers fill in such Secrets, and people replace placeholders.
  if (written.trim() === '' || isPlaceholder(written)) return missing(`${at} has no certificate in ${source.certificateEntry} yet`);
  const view: SecretView = { ...viewSecret(readSecret(object), source), pods: [] };
  return { secret: { state: 'seen', value: view }, probes: servedFrom(at, view) };
}

const servedFrom = (at: string, { certificates }: SecretView): Observed<never> | ApiSnapshot['probes'] =>
  certificates.length === 0
    ? skipped('the Secret has no certificate')
    : { state: 'seen', value: [{ at, pod: undefined, via: 'address', handshake: { kind: 'served', protocol: '', certificates } }] };

function whyMissing({ created, workload: { namespace } }: SecretSearch, names: readonly string[]): string {
  const [creator] = names.flatMap((name) => created.get(name) ?? []);
  if (creator !== undefined) return creator;
  const [only = ''] = names;
  return names.length === 1
    ? `Secret ${namespace}/${only} is not in the files`
    : `the Secrets ${names.join(', ')} of namespace ${namespace} are not in the files`;
}
