import { describe, expect, it } from 'vitest';
import { apiServiceNames, secretName, servingNames } from '../../../src/config/registration.ts';
import { presetRegistration, registrationOf } from '../manifests/fixture.ts';

describe('servingNames', () => {
  it('starts with the name that kube-apiserver asks for', () => {
    expect(servingNames(presetRegistration('sample-apiserver'))).toEqual({
      dns: ['api.wardle.svc', 'api', 'api.wardle', 'api.wardle.svc.cluster.local'],
      ip: [],
    });
  });

  it('adds what is configured, each name once', () => {
    const certificates = '  certificates: {clusterDomain: k8s.test, dnsNames: [x.example.com, api], ipAddresses: [192.0.2.1, 192.0.2.1]}';
    const names = servingNames(registrationOf('    image: x', certificates));
    expect(names.dns).toEqual(['api.example.svc', 'api', 'api.example', 'api.example.svc.k8s.test', 'x.example.com']);
    expect(names.ip).toEqual(['192.0.2.1']);
  });
});

describe('names of objects', () => {
  it('follow from the Service and the APIs', () => {
    expect(secretName(registrationOf('    image: x'))).toBe('api-tls');
    expect(secretName(registrationOf('    image: x', '  certificates: {secretName: mine}'))).toBe('mine');
    expect(apiServiceNames(presetRegistration('custom'))).toEqual(['v1.my.example.com', 'v1beta1.my.example.com']);
  });
});
