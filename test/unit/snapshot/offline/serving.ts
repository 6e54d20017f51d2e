import { diagnose } from '../../../../src/diagnosis/diagnose.ts';
import { extendedKeyUsage, subjectAltName } from '../../../../src/pki/extensions.ts';
import { toPrivateKey } from '../../../../src/pki/keys.ts';
import { make, makeCa } from '../../pki/certificates.ts';
import { host, namespace, now, object, snapshotOf } from './manifests.ts';

/** The certificate of the server of manifests.ts, and what the manifests show. */

const ca = await makeCa({ commonName: 'CA' });
export async function pairFor(name: string) {
  const extensions = [subjectAltName({ dns: [name], ip: [] }, false), extendedKeyUsage(['serverAuth'])];
  const { info, keyPair } = await make({ commonName: name, issuer: ca, extensions });
  return { 'tls.crt': info.pem, 'tls.key': toPrivateKey(keyPair.privateKey).reveal() };
}
export const good = await pairFor(host);
export const caBundle = Buffer.from(ca.info.pem).toString('base64');
export const secret = (name: string, stringData: Readonly<Record<string, string>> = good): object =>
  object('v1', 'Secret', { name, namespace }, { stringData });

/** Codes of the findings, and reasons of what was not checked. */
export function lint(...objects: readonly object[]) {
  const [api] = diagnose({
    apiVersion: 'apisvc.dev/snapshot/v1alpha1',
    takenAt: now.toISOString(),
    source: { kind: 'files', files: [] },
    apis: [snapshotOf(...objects)],
  }).apis;
  const findings = api?.findings ?? [];
  const notChecked = (api?.notChecked ?? []).filter(({ why }) => !why.startsWith('no RBAC'));
  return { codes: findings.map(({ severity, code }) => `${severity} ${code}`), why: notChecked.map(({ why }) => why), findings };
}
