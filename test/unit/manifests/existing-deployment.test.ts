import { describe, expect, it } from 'vitest';
import { manifestsToRegister, renderManifests } from '../../../src/manifests/render.ts';
import { issued, kindsOf, objectOf, registrationOf } from './fixture.ts';

const deployment = 'deployment: {name: theirs, container: main, args: [--a, --cert-dir=/tmp]}';
const existing = (more = '', rest?: string) =>
  manifestsToRegister(registrationOf(`    existing: {selector: {app: x}, port: web${more === '' ? '' : `, ${more}`}}`, rest), issued);

describe("someone else's server", () => {
  it('gets only Secret, Service and APIService when it reads the Secret already', () => {
    const manifests = existing();
    expect(kindsOf(manifests)).toEqual(['Secret', 'Service', 'APIService']);
    expect(objectOf(manifests, 'Service').spec).toEqual({ selector: { app: 'x' }, ports: [{ port: 443, targetPort: 'web' }] });
  });

  it('keeps the labels of what it may have brought along, beside those that the configuration names', () => {
    const manifests = existing(deployment);
    for (const kind of ['Service', 'Deployment', 'APIService']) expect(objectOf(manifests, kind).metadata).not.toHaveProperty('labels');
    expect(objectOf(manifests, 'Secret').metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'apisvc' });
  });
});

describe("the part of someone else's Deployment", () => {
  it('is left out of what is rendered, where kubectl apply would take it for the whole', () => {
    const registration = registrationOf(`    existing: {selector: {app: x}, port: web, ${deployment}}`);
    expect(kindsOf(renderManifests(registration, issued, { secrets: 'include' }))).toEqual(['Secret', 'Service', 'APIService']);
  });

  it('is the volume, its mount and all arguments, and nothing that is not ours to say', () => {
    const manifests = existing(deployment);
    expect(kindsOf(manifests)).toEqual(['Secret', 'Service', 'Deployment', 'APIService']);
    const args = [
      '--a',
      '--cert-dir=/tmp',
      '--tls-cert-file=/var/run/serving-cert/tls.crt',
      '--tls-private-key-file=/var/run/serving-cert/tls.key',
    ];
    const volumeMounts = [{ name: 'serving-cert', mountPath: '/var/run/serving-cert', readOnly: true }];
    expect(objectOf(manifests, 'Deployment')).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'theirs', namespace: 'example' },
      spec: {
        template: {
          spec: {
            containers: [{ name: 'main', args, volumeMounts }],
            volumes: [{ name: 'serving-cert', secret: { secretName: 'api-tls' } }],
          },
        },
      },
    });
  });

  it('follows the certificate settings', () => {
    const certificates =
      '  certificates: {secretName: mine, mountPath: /certs, flags: separate, files: {cert: apiserver.crt, key: apiserver.key}}';
    const { spec } = objectOf(existing(deployment, certificates), 'Deployment');
    expect(spec).toMatchObject({
      template: {
        spec: {
          containers: [
            {
              args: ['--a', '--cert-dir=/tmp', '--tls-cert-file', '/certs/apiserver.crt', '--tls-private-key-file', '/certs/apiserver.key'],
              volumeMounts: [{ mountPath: '/certs' }],
            },
          ],
          volumes: [{ secret: { secretName: 'mine', items: [{ key: 'ca.crt' }, { path: 'apiserver.crt' }, { path: 'apiserver.key' }] } }],
        },
      },
    });
  });

  it('has no arguments where there are none: a server that looks for fixed files', () => {
    const manifests = existing('deployment: {name: theirs, container: main, args: []}', '  certificates: {flags: none}');
    expect(objectOf(manifests, 'Deployment')).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'main' }] } } } });
    expect(JSON.stringify(objectOf(manifests, 'Deployment'))).not.toContain('args');
  });
});
