import { describe, expect, it } from 'vitest';
import { withArguments } from '../../../src/manifests/existing-deployment.ts';
import { manifestsToRegister, renderManifests } from '../../../src/manifests/render.ts';
import { issued, kindsOf, objectOf, registrationOf } from './fixture.ts';

const deployment = 'deployment: {name: theirs, container: main}';
const existing = (more = '', rest?: string) =>
  manifestsToRegister(registrationOf(`    existing: {selector: {app: x}, port: web${more === '' ? '' : `, ${more}`}}`, rest), issued);

describe('an existing server', () => {
  it('gets only Secret, Service and APIService when it reads the Secret already', () => {
    const manifests = existing();
    expect(kindsOf(manifests)).toEqual(['Secret', 'Service', 'APIService']);
    expect(objectOf(manifests, 'Service').spec).toEqual({ selector: { app: 'x' }, ports: [{ port: 443, targetPort: 'web' }] });
  });

  it('keeps its labels, beside those that the configuration adds', () => {
    const manifests = existing(deployment);
    for (const kind of ['Service', 'Deployment', 'APIService']) expect(objectOf(manifests, kind).metadata).not.toHaveProperty('labels');
    expect(objectOf(manifests, 'Secret').metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'apisvc' });
  });
});

describe('the part of an existing Deployment', () => {
  it('is not rendered, because kubectl apply would take it for the whole Deployment', () => {
    const registration = registrationOf(`    existing: {selector: {app: x}, port: web, ${deployment}}`);
    expect(kindsOf(renderManifests(registration, issued, { secrets: 'include' }))).toEqual(['Secret', 'Service', 'APIService']);
  });

  const completed = (present: readonly string[], more = '', rest?: string) => {
    const registration = registrationOf(
      `    existing: {selector: {app: x}, port: web, deployment: {name: theirs, container: main${more}}}`,
      rest,
    );
    return withArguments(objectOf(manifestsToRegister(registration, issued), 'Deployment'), registration, present);
  };

  it('is the volume, its mount and the arguments of the cluster, and nothing else', () => {
    expect(kindsOf(existing(deployment))).toEqual(['Secret', 'Service', 'Deployment', 'APIService']);
    const args = [
      '--a',
      '--cert-dir=/tmp',
      '--tls-cert-file=/var/run/serving-cert/tls.crt',
      '--tls-private-key-file=/var/run/serving-cert/tls.key',
    ];
    const volumeMounts = [{ name: 'apisvc-serving-cert', mountPath: '/var/run/serving-cert', readOnly: true }];
    expect(completed(['--a', '--cert-dir=/tmp'])).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'theirs', namespace: 'example', annotations: { 'apisvc.dev/registration': 'example/example' } },
      spec: {
        template: {
          spec: {
            containers: [{ name: 'main', args, volumeMounts }],
            volumes: [{ name: 'apisvc-serving-cert', secret: { secretName: 'api-tls' } }],
          },
        },
      },
    });
  });

  it('follows the certificate settings', () => {
    const certificates =
      '  certificates: {secretName: mine, mountPath: /certs, flags: separate, files: {cert: apiserver.crt, key: apiserver.key}}';
    const { spec } = completed(['--a', '--cert-dir=/tmp'], '', certificates);
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

  it('makes the changes of the registration', () => {
    const { spec } = completed(['--v=2'], ', args: {add: [--b], replace: [--v=4]}', '  certificates: {flags: none}');
    expect(spec).toMatchObject({ template: { spec: { containers: [{ args: ['--v=4', '--b'] }] } } });
  });

  it('has no arguments where there are none: a server that looks for fixed files', () => {
    const part = completed([], '', '  certificates: {flags: none}');
    expect(part).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'main' }] } } } });
    expect(JSON.stringify(part)).not.toContain('args');
  });
});
