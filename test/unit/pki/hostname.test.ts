import { describe, expect, it } from 'vitest';
import { matchesHostname } from '../../../src/pki/hostname.ts';

describe('matchesHostname', () => {
  // The cases of Go's crypto/x509 (verify_test.go, x509_test.go) that can happen to a Service.
  it.each([
    ['api.wardle.svc', 'api.wardle.svc', true],
    ['API.wardle.svc', 'api.Wardle.svc', true],
    ['api.wardle.svc', 'api.wardle.svc.', true],
    ['api.wardle.svc.', 'api.wardle.svc', false],
    ['api.wardle', 'api.wardle.svc', false],
    ['*.wardle.svc', 'api.wardle.svc', true],
    ['*.wardle.svc', 'wardle.svc', false],
    ['*.wardle.svc', 'a.api.wardle.svc', false],
    ['*.*.svc', 'api.wardle.svc', false],
    ['a*.wardle.svc', 'api.wardle.svc', false],
    ['api.*.svc', 'api.wardle.svc', false],
    ['*', 'api', false],
    ['api_1.wardle.svc', 'api_1.wardle.svc', true],
    ['-api.wardle.svc', '-api.wardle.svc', true],
    ['*.-wardle.svc', 'api.-wardle.svc', false],
    ['10.0.0.1', '10.0.0.1', false],
    ['', '', false],
  ])('DNS name %s for %s: %s', (name, hostname, expected) => {
    expect(matchesHostname({ dnsNames: [name], ipAddresses: [] }, hostname)).toBe(expected);
  });

  it.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['fd00::1', '[fd00:0:0:0::1]', true],
    ['fd00::1', 'FD00::1', true],
    ['fd00::1', 'fd00::2', false],
  ])('IP address %s for %s: %s', (address, hostname, expected) => {
    expect(matchesHostname({ dnsNames: [], ipAddresses: [address] }, hostname)).toBe(expected);
  });
});
