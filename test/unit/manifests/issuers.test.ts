import { describe, expect, it } from 'vitest';
import { issuerTypes } from '../../../src/config/issuer-flags.ts';
import { responsibilities } from '../../../src/config/responsibilities.ts';
import { manifestsYaml } from '../../../src/manifests/outputs/yaml.ts';
import { manifestsToRegister, renderManifests } from '../../../src/manifests/render.ts';
import { base64 } from '../../../src/manifests/secret.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { PrivateKey } from '../../../src/pki/private-key.ts';
import { caPem, issued, keyText, kindsOf, objectOf, registrationOf } from './fixture.ts';

const settings: Readonly<Record<string, string>> = { csr: ', signerName: example.com/serving, caBundleFile: ca.crt' };
const having = (type: string, more = '', server = '    image: x') =>
  registrationOf(server, `  certificates: {issuer: {type: ${type}${settings[type] ?? ''}${more}}}`);
const rendered = (...args: Parameters<typeof having>) => renderManifests(having(...args), issued, { secrets: 'include' });

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes.
const specOf = (object: KubeObject): any => object.spec;

it.each(issuerTypes)('renders %s, twice the same', async (type) => {
  const text = manifestsYaml(rendered(type));
  expect(manifestsYaml(rendered(type))).toBe(text);
  await expect(text).toMatchFileSnapshot(`snapshots/issuers/${type}.yaml`);
});

describe('what others write is not rendered', () => {
  it.each(issuerTypes)('with %s', (type) => {
    const { secret, caBundle } = responsibilities[type];
    const manifests = rendered(type);
    expect(kindsOf(manifests).includes('Secret')).toBe(secret === 'apisvc');
    const { caBundle: bundle, insecureSkipTLSVerify } = specOf(objectOf(manifests, 'APIService'));
    expect(bundle !== undefined).toBe(caBundle === 'apisvc');
    expect(insecureSkipTLSVerify).toBe(type === 'insecure' ? true : undefined);
  });
});

describe('the key of the CA in a Secret', () => {
  const inSecret = having('self-signed', ', caKey: secret');
  const ca = { certificate: caPem, key: new PrivateKey(keyText) };

  it('is never rendered', () => {
    expect(manifestsYaml(renderManifests(inSecret, issued, { secrets: 'include' }))).toBe(manifestsYaml(rendered('self-signed')));
  });

  it('is applied while a file has it, and mounted nowhere', () => {
    const added = manifestsToRegister(inSecret, issued, ca).filter(({ object }) => object.metadata.name === 'api-ca');
    const data = { 'tls.crt': base64(caPem), 'tls.key': base64(keyText) };
    expect(added.map(({ object }) => object)).toMatchObject([{ kind: 'Secret', type: 'kubernetes.io/tls', data }]);
    expect(manifestsToRegister(inSecret, issued)).toHaveLength(manifestsToRegister(inSecret, issued, ca).length - 1);
    expect(manifestsToRegister(having('self-signed'), issued, ca)).toHaveLength(manifestsToRegister(inSecret, issued).length);
  });
});

describe('the pods', () => {
  // kube-apiserver accepts any certificate, and the root file system is read-only.
  it.each([
    ['', '', ['--cert-dir=/var/run/serving-cert']],
    ['\n    args: [-v=2]', ', flags: separate, mountPath: /own', ['-v=2', '--cert-dir', '/own']],
  ])('get an empty directory for their own certificate where there is no Secret', (server, more, args) => {
    const rest = `  certificates: {issuer: {type: insecure}${more}}`;
    const manifests = renderManifests(registrationOf(`    image: x${server}`, rest), undefined, { secrets: 'omit' });
    const { containers, volumes } = specOf(objectOf(manifests, 'Deployment')).template.spec;
    expect({ volumes, args: containers[0].args, mounts: containers[0].volumeMounts }).toEqual({
      volumes: [{ name: 'serving-cert', emptyDir: {} }],
      args,
      mounts: [{ name: 'serving-cert', mountPath: more === '' ? '/var/run/serving-cert' : '/own' }],
    });
  });

  it.each([
    ['flags: none', '', ', flags: none'],
    ['--cert-dir', '\n    args: [--cert-dir=/tmp]', ''],
    ['--tls-cert-file', '\n    command: [/server, --tls-cert-file, /own.crt]', ''],
  ])('get none with %s', (_, server, more) => {
    const rest = `  certificates: {issuer: {type: insecure}${more}}`;
    const manifests = renderManifests(registrationOf(`    image: x${server}`, rest), undefined, { secrets: 'omit' });
    const { containers, volumes } = specOf(objectOf(manifests, 'Deployment')).template.spec;
    expect({ volumes, mounts: containers[0].volumeMounts }).toEqual({});
    expect(containers[0].args ?? []).not.toContain('--cert-dir=/var/run/serving-cert');
  });

  it('keep their own volumes there', () => {
    const server = '    image: x\n    volumes: [{name: data, emptyDir: {}}]\n    volumeMounts: [{name: data, mountPath: /data}]';
    const { containers, volumes } = specOf(objectOf(rendered('insecure', '', server), 'Deployment')).template.spec;
    expect(volumes).toEqual([
      { name: 'serving-cert', emptyDir: {} },
      { name: 'data', emptyDir: {} },
    ]);
    expect(containers[0].volumeMounts).toEqual([
      { name: 'serving-cert', mountPath: '/var/run/serving-cert' },
      { name: 'data', mountPath: '/data' },
    ]);
  });

  it.each(['existing-secret', 'cert-manager', 'openshift-service-ca'])('do not need ca.crt, which %s may not write', (type) => {
    const rest = `  certificates: {issuer: {type: ${type}}, files: {cert: server.crt, key: server.key}}`;
    const manifests = renderManifests(registrationOf('    image: x', rest), undefined, { secrets: 'omit' });
    expect(specOf(objectOf(manifests, 'Deployment')).template.spec.volumes[0].secret.items).toEqual([
      { key: 'tls.crt', path: 'server.crt' },
      { key: 'tls.key', path: 'server.key' },
    ]);
  });
});

describe('cert-manager', () => {
  const certificates = (text: string) =>
    renderManifests(registrationOf('    image: x', `  certificates: {${text}}`), undefined, { secrets: 'omit' });

  it('gets a Certificate only, with an issuer of the user', () => {
    const manifests = certificates('issuer: {type: cert-manager, issuerRef: {name: company, kind: ClusterIssuer}}');
    expect(kindsOf(manifests).filter((kind) => ['Issuer', 'Certificate'].includes(kind))).toEqual(['Certificate']);
    expect(specOf(objectOf(manifests, 'Certificate')).issuerRef).toEqual({
      name: 'company',
      kind: 'ClusterIssuer',
      group: 'cert-manager.io',
    });
  });

  it('gets the names, the lifetime and the key type', () => {
    const manifests = certificates(
      'issuer: {type: cert-manager, issuerRef: {name: x}}, lifetime: 1h30m, keyType: rsa-3072, dnsNames: [a.example.com], ipAddresses: [10.0.0.1]',
    );
    expect(specOf(objectOf(manifests, 'Certificate'))).toMatchObject({
      duration: '5400s',
      dnsNames: ['api.example.svc', 'api', 'api.example', 'api.example.svc.cluster.local', 'a.example.com'],
      ipAddresses: ['10.0.0.1'],
      privateKey: { algorithm: 'RSA', size: 3072 },
    });
  });
});
