import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { parseDuration } from '../../config/duration.ts';
import { serverNameOf } from '../../config/registration.ts';
import { shellWord } from '../../config/shell-word.ts';
import { RefusedError } from '../../errors.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import type { KeyType } from '../../pki/types.ts';
import { type Json, textOf } from '../../snapshot/views.ts';
import type { Backend } from '../secure/find.ts';
import type { Waiting } from '../wait.ts';
import { type FoundIssuer, named } from './found.ts';

interface Injection {
  /** The annotation's value, such as `wardle/api-tls`. */
  readonly value: string;
  /** The names of the APIServices that have it. */
  readonly apiServices: readonly string[];
}

/** The issuer of a Certificate of cert-manager, and what it asks for. */
export async function fromCertificate(
  { cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>,
  backend: Backend,
  { value, apiServices }: Injection,
): Promise<FoundIssuer> {
  const [namespace, name = ''] = value.split('/');
  const ref = `Certificate ${value}`;
  const annotate = (certificate: string): string =>
    `Then update the annotation: kubectl annotate --overwrite apiservice ${apiServices.join(' ')} ${certManagerAnnotations.fromCertificate}=${shellWord(`${backend.namespace}/${certificate}`)}`;
  if (namespace !== backend.namespace)
    throw new RefusedError(
      `${ref} is not in namespace ${backend.namespace}, the namespace of the Service; apisvc.yaml does not support a Certificate in another namespace`,
      { fix: `Create the Certificate in namespace ${backend.namespace}. ${annotate(name)}` },
    );
  const found: Json = await getObject(cluster, { resource: resources.Certificate, namespace, name }, signal);
  if (!found) throw new RefusedError(`the annotation ${certManagerAnnotations.fromCertificate} refers to ${ref}, which does not exist`);
  const spec: Json = found.spec ?? {};
  const secret = textOf(spec.secretName);
  // The manifests of apisvc name the Certificate as its Secret. A second Certificate for the same
  // Secret is a mistake that cert-manager reports (github.com/cert-manager/cert-manager/pull/6406).
  if (secret !== name)
    throw new RefusedError(`${ref} writes Secret ${secret}; in an apisvc project, the Certificate and its Secret must have the same name`, {
      fix: `Replace the Certificate with one named ${secret}. ${annotate(secret)}`,
    });
  const { kind = 'Issuer', group = 'cert-manager.io' } = spec.issuerRef ?? {};
  const own = ownNames(backend);
  return {
    certificates: {
      issuer: { type: 'cert-manager', issuerRef: { name: textOf(spec.issuerRef?.name), kind: textOf(kind), group: textOf(group) } },
      keyType: keyTypeOf(spec.privateKey ?? {}, ref),
      lifetime: lifetimeOf(textOf(spec.duration)),
      secretName: named(backend, secret),
      dnsNames: others(spec.dnsNames, own),
      ipAddresses: others(spec.ipAddresses, []),
    },
  };
}

/** The names that every serving certificate of apisvc has. */
const ownNames = ({ namespace, name }: Backend): readonly string[] => {
  const host = serverNameOf({ namespace, name });
  return [name, `${name}.${namespace}`, host, `${host}.cluster.local`];
};

const others = (list: Json, own: readonly string[]): readonly string[] | undefined => {
  const texts = (Array.isArray(list) ? list : []).map(textOf).filter((each) => !own.includes(each));
  return texts.length > 0 ? texts : undefined;
};

/** The defaults of cert-manager (pkg/apis/certmanager/v1/types_certificate.go). */
function keyTypeOf({ algorithm = 'RSA', size }: Json, ref: string): KeyType {
  const known: Readonly<Record<string, KeyType>> = {
    'RSA 2048': 'rsa-2048',
    'RSA 3072': 'rsa-3072',
    'RSA 4096': 'rsa-4096',
    'ECDSA 256': 'ecdsa-p256',
    'ECDSA 384': 'ecdsa-p384',
  };
  const text = `${textOf(algorithm)} ${size ?? (algorithm === 'ECDSA' ? 256 : 2048)}`;
  const type = known[text];
  if (type === undefined)
    throw new RefusedError(`${ref} requests a private key of type ${text}, which apisvc.yaml does not support`, {
      fix: 'In spec.privateKey of the Certificate, use RSA with 2048, 3072 or 4096 bits, or ECDSA with 256 or 384 bits.',
    });
  return type;
}

/** A duration of Go in whole units; 90 days without one (pkg/apis/certmanager/v1/const.go). */
function lifetimeOf(duration: string): string {
  const ms = parseDuration(duration);
  if (ms === undefined) return duration === '' ? '90d' : duration;
  const hours = ms / 3_600_000;
  if (!Number.isInteger(hours)) return `${Math.floor(ms / 1_000)}s`;
  return hours % 24 === 0 ? `${hours / 24}d` : `${hours}h`;
}
