import { expect, test } from 'vitest';
import { type CaPair, caData, caSecretManifest } from '../../../src/manifests/ca-secret.ts';
import { caIn, caSecretRef, foreignFault, isOneOf } from '../../../src/operations/ca-secret.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { day, now } from '../pki/certificates.ts';
import { authority, having, registration } from '../project/sample.ts';

const other = await createAuthority({ commonName: 'other', keyType: 'ecdsa-p256', lifetimeMs: day, now });
const pairOf = ({ certificates, key }: typeof other): CaPair => ({ certificate: certificates, key });
const [own, next] = [pairOf(authority), pairOf(other)];
const secretWith = (data: Readonly<Record<string, string>>) => caSecretManifest(registration, 'api-ca', data).object;

test('the Secret has the name in apisvc.yaml, or that of the Service', () => {
  expect(caSecretRef(registration)).toBeUndefined();
  expect(caSecretRef(having('issuer: {type: self-signed, caKey: secret}'))?.name).toBe('api-ca');
  expect(caSecretRef(having('issuer: {type: self-signed, caKey: secret, caSecretName: x}'))?.name).toBe('x');
});

test('the CA in use and the next one have entries of their own', () => {
  const secret = secretWith({ ...caData('current', own), ...caData('next', next) });
  expect(caIn(secret, 'current')?.key.reveal()).toBe(own.key.reveal());
  expect(caIn(secret, 'next')?.certificate).toBe(next.certificate);
  expect(secret.metadata.annotations).toEqual({ 'apisvc.dev/registration': 'example/example' });
});

test('a key without its certificate is no CA', () => {
  expect(caIn(secretWith({ ...caData('current', undefined), ...caData('next', next) }), 'current')).toBeUndefined();
  expect(caIn(secretWith({ ...caData('current', own), 'tls.crt': caData('current', next)['tls.crt'] ?? '' }), 'current')).toBeUndefined();
  expect(caIn(secretWith({}), 'next')).toBeUndefined();
});

test('the key tells which CA it is', () => {
  const anchors = inspect(authority.certificates).certificates;
  expect([isOneOf(own, anchors), isOneOf(next, anchors)]).toEqual([true, false]);
});

test('only the Secret of the project may be written', () => {
  const ref = caSecretRef(having('issuer: {type: self-signed, caKey: secret}'));
  if (!ref) throw new Error('no Secret');
  const secret = secretWith(caData('current', own));
  expect(foreignFault(undefined, ref, registration)).toBeUndefined();
  expect(foreignFault(secret, ref, registration)).toBeUndefined();
  const theirs = { ...secret, metadata: { name: 'api-ca' } };
  expect(foreignFault(theirs, ref, registration)?.message).toBe(
    'Secret example/api-ca already exists, but does not belong to this project',
  );
});
