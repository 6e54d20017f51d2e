import { getObject, listObjects } from '../../cluster/objects.ts';
import { type Resource, resources } from '../../cluster/resources.ts';
import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import type { KubeObject } from '../../manifests/types.ts';
import {
  caSecretOf,
  conditionsOf,
  injectionOf,
  injectorLease,
  isInjected,
  isReady,
  newestRequestOf,
  viewCaSource,
  viewInjectorLease,
  viewIssuerRef,
} from '../cert-manager-view.ts';
import { seen, skipped } from '../observed.ts';
import { readSecret } from '../secret-content.ts';
import type { ApiServiceView, CertIssuerView, CertManagerCertificateView, CertManagerView, Observed } from '../types.ts';
import { type Json, textOf } from '../views.ts';
import type { CollectContext } from './context.ts';
import type { Name } from './inventory.ts';
import { observe } from './observe.ts';
import { getPath } from './requests.ts';

/** What is a name for kube-apiserver, and so can exist. */
const isName = (text: string): boolean => /^[a-z0-9][-a-z0-9.]*$/.test(text);

/**
 * Reads what cert-manager has to inject into an APIService.
 * @returns undefined without an annotation of cert-manager, and where cert-manager is not installed
 * @throws the reason of the signal
 */
export async function collectCertManager(context: CollectContext, api: ApiServiceView): Promise<CertManagerView | undefined> {
  const injection = injectionOf(api);
  if (!injection || api.insecureSkipTLSVerify) return undefined;
  if (seen(await getPath(context, '/apis/cert-manager.io/v1'))?.status === 404) return undefined;
  const named = nameIn(injection.value);
  const fromCertificate = injection.annotation === certManagerAnnotations.fromCertificate;
  const certificate = fromCertificate ? await certificateOf(context, named) : undefined;
  const secret = await secretOf(context, certificate ? secretNameOf(named, certificate) : named);
  const source = seen(secret);
  const lease = source && !isInjected(api, source) ? { lease: await get(context, resources.Lease, injectorLease, viewInjectorLease) } : {};
  return { ...injection, ...(certificate ? { certificate } : {}), secret, ...lease };
}

/** @returns undefined for a value that names nothing */
function nameIn(value: string): Name | undefined {
  const slash = value.indexOf('/');
  const [namespace, name] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  return isName(namespace) && isName(name) ? { namespace, name } : undefined;
}

const get = <T>(
  context: CollectContext,
  resource: Resource,
  { namespace, name }: { readonly namespace: string | undefined; readonly name: string },
  view: (object: KubeObject & Json) => T,
): Promise<Observed<T>> => observe(context, () => getObject(context.cluster, { resource, namespace, name }, context.signal), view);

const secretOf = (
  context: CollectContext,
  name: Name | undefined | Observed<never>,
): Promise<CertManagerView['secret']> | CertManagerView['secret'] =>
  name === undefined ? { state: 'absent' } : 'state' in name ? name : get(context, resources.Secret, name, viewCaSource);

/** @returns the Secret of a Certificate, or why it is not known */
function secretNameOf(named: Name | undefined, certificate: Observed<CertManagerCertificateView>): Name | Observed<never> {
  const name = seen(certificate)?.secretName;
  return named && name !== undefined && isName(name) ? { namespace: named.namespace, name } : skipped('the Certificate is not known');
}

async function certificateOf(context: CollectContext, named: Name | undefined): Promise<Observed<CertManagerCertificateView>> {
  if (!named) return { state: 'absent' };
  const found = await get(context, resources.Certificate, named, (object) => object);
  if (found.state !== 'seen') return found;
  const { spec, status } = found.value;
  const failed = status?.failedIssuanceAttempts;
  const conditions = conditionsOf(found.value);
  const [issuer, request] = await Promise.all([
    issuerOf(context, named.namespace, spec?.issuerRef ?? {}),
    isReady(conditions) ? undefined : newestRequest(context, named),
  ]);
  const value = {
    secretName: textOf(spec?.secretName),
    dnsNames: Array.isArray(spec?.dnsNames) ? spec.dnsNames.map(textOf) : [],
    isCA: spec?.isCA === true,
    conditions,
    ...(failed === undefined ? {} : { failedAttempts: Number(failed) }),
    ...(request ? { request } : {}),
    issuerRef: { kind: textOf(spec?.issuerRef?.kind ?? 'Issuer'), name: textOf(spec?.issuerRef?.name) },
    issuer,
  };
  return { state: 'seen', value };
}

const newestRequest = (context: CollectContext, { namespace, name }: Name): Promise<NonNullable<CertManagerCertificateView['request']>> =>
  observe(
    context,
    async () =>
      newestRequestOf(name, await listObjects(context.cluster, { resource: resources.CertificateRequest, namespace }, context.signal)),
    (object) => ({ namespace, name: object.metadata.name, conditions: conditionsOf(object) }),
  );

/** @param issuerRef of a Certificate */
async function issuerOf(context: CollectContext, namespace: string, issuerRef: Json): Promise<Observed<CertIssuerView>> {
  const ref = viewIssuerRef(issuerRef, namespace);
  if (!ref) return skipped(`it is one of ${textOf(issuerRef.group)}`);
  if (!isName(ref.name)) return { state: 'absent' };
  const found = await get(context, ref.resource, ref, (object) => object);
  if (found.state !== 'seen') return found;
  const secret = caSecretOf(ref, found.value);
  const ca = secret && isName(secret.name) ? { ca: await get(context, secret.resource, secret, signersIn) } : {};
  return {
    state: 'seen',
    value: { kind: textOf(issuerRef.kind ?? 'Issuer'), name: ref.name, conditions: conditionsOf(found.value), ...ca },
  };
}

const signersIn = (secret: KubeObject) => readSecret(secret).entries.find(({ name }) => name === 'tls.crt')?.certificates ?? [];
