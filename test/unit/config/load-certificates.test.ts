import { describe, expect, it } from 'vitest';
import { issuerTypes } from '../../../src/config/issuer-flags.ts';
import { parseRegistration } from '../../../src/config/load.ts';
import { file, having, messageOf } from './registration-text.ts';

/** What spec.certificates may contain. */

/** Expects a message for `text` in place of `lifetime`, in spec.certificates. */
const refusesCertificates = (_: string, text: string, message: string): void =>
  expect(messageOf(having('lifetime: 90d', text))).toBe(`${file}:${message}`);

describe('contradictions of the issuer', () => {
  it.each([
    [
      'csr without a CA',
      'issuer: {type: csr, signerName: example.com/x}',
      '16:5: spec.certificates.issuer: must set exactly one of caBundleFile and clusterTrustBundle',
    ],
    [
      'csr with two CAs',
      'issuer: {type: csr, signerName: example.com/x, caBundleFile: a, clusterTrustBundle: b}',
      '16:5: spec.certificates.issuer: must set exactly one of caBundleFile and clusterTrustBundle',
    ],
    [
      'csr with a signer without a domain',
      'issuer: {type: csr, signerName: serving, caBundleFile: a}',
      '16:37: spec.certificates.issuer.signerName: invalid value "serving": must be DOMAIN/NAME, for example example.com/serving',
    ],
    [
      'csr with a short lifetime',
      'issuer: {type: csr, signerName: example.com/x, caBundleFile: a}\n    lifetime: 5m',
      '17:15: spec.certificates.lifetime: invalid value "5m": must be at least 10m with the issuer type csr',
    ],
    [
      'insecure with a Secret',
      'issuer: {type: insecure}\n    secretName: x',
      '17:17: spec.certificates.secretName: invalid value "x": has no effect with the issuer type insecure, which uses no Secret; remove it',
    ],
    [
      'openshift-service-ca with other names',
      'issuer: {type: openshift-service-ca}\n    dnsNames: [a.example.com]',
      "17:5: spec.certificates.dnsNames: OpenShift's service CA operator issues certificates only for the name of the Service; remove it",
    ],
    [
      'cert-manager with a kind of another group',
      'issuer: {type: cert-manager, issuerRef: {name: ca, kind: StepIssuer}}',
      '16:62: spec.certificates.issuer.issuerRef.kind: invalid value "StepIssuer": must be Issuer or ClusterIssuer, or set group to the API group of the kind',
    ],
    [
      'cert-manager with a short lifetime',
      'issuer: {type: cert-manager}\n    lifetime: 30m',
      '17:15: spec.certificates.lifetime: invalid value "30m": must be at least 1h with the issuer type cert-manager',
    ],
  ])('%s', refusesCertificates);

  it('allows the flags of a certificate that the server has itself', () => {
    const text = having('image: example.com/server:v1', 'image: x\n    args: [--tls-cert-file=/own/tls.crt]');
    expect(messageOf(text)).toContain('apisvc sets --tls-cert-file itself');
    expect(parseRegistration(text.replace('lifetime: 90d', 'issuer: {type: insecure}'), file).spec.server.args).toHaveLength(1);
  });

  it.each(['existing-secret', 'cert-manager', 'openshift-service-ca'])('%s of a server outside the cluster', (type) => {
    const text = having('image: example.com/server:v1', 'external: {addresses: [10.0.0.1], port: 443}').replace(
      'lifetime: 90d',
      `issuer: {type: ${type}}`,
    );
    expect(messageOf(text)).toContain(
      `spec.certificates.issuer: ${type} needs pods in the cluster, but spec.server.external describes a server outside it; use self-signed or ca`,
    );
  });
});

describe('the issuer', () => {
  it.each([
    [
      'as a word, the form of earlier versions',
      'issuer: self-signed',
      '16:13: spec.certificates.issuer: must be a mapping, not the string "self-signed"; write issuer: {type: self-signed}',
    ],
    ['without a type', 'issuer: {caLifetime: 1y}', '16:5: spec.certificates.issuer: missing key "type"'],
    [
      'of an unknown type',
      'issuer: {type: selfsigned}',
      `16:20: spec.certificates.issuer.type: must be one of ${issuerTypes.join(', ')}, not the string "selfsigned"; did you mean "self-signed"?`,
    ],
    [
      'with a setting of another type',
      'issuer: {type: ca, caLifetime: 1y}',
      '16:24: spec.certificates.issuer: unknown key "caLifetime"; it is allowed only with type: self-signed',
    ],
    [
      'with the name of a Secret that it does not have',
      'issuer: {type: self-signed, caSecretName: x}',
      '16:47: spec.certificates.issuer.caSecretName: invalid value "x": has no effect with caKey: file; set caKey: secret, or remove it',
    ],
    [
      'with the key of the CA in the Secret that the pods mount',
      'secretName: api-ca\n    issuer: {type: self-signed, caKey: secret}',
      '17:5: spec.certificates.issuer.caSecretName: must not be the Secret with the serving certificate, which the pods mount',
    ],
    [
      'with a setting beside it',
      'caLifetime: 1y',
      '16:5: spec.certificates: unknown key "caLifetime"; it is allowed only in spec.certificates.issuer',
    ],
  ])('%s', refusesCertificates);
});
