import { describe, expect, it } from 'vitest';
import { namesOutside } from '../../../src/pki/name-constraints.ts';

const open = { permittedDns: [], excludedDns: [], permittedIp: [], excludedIp: [] };

describe('namesOutside', () => {
  it.each([
    ['example.com', 'example.com', true],
    ['example.com', 'Api.Example.COM', true],
    ['example.com', '*.example.com', true],
    ['example.com', 'notexample.com', false],
    ['example.com', 'com', false],
    ['.example.com', 'api.example.com', true],
    ['.example.com', 'example.com', false],
    ['api', 'api', true],
    ['api', 'api.wardle', false],
    ['', 'anything.at.all', true],
  ])('permitted %s, name %s: %s', (base, name, allowed) => {
    expect(namesOutside({ ...open, permittedDns: [base] }, { dns: [name], ip: [] })).toEqual(allowed ? [] : [name]);
  });

  it.each([
    ['example.com', 'api.example.com', false],
    ['example.com', 'example.org', true],
    ['api.example.com', '*.example.com', false],
    ['api.example.com', 'other.example.com', true],
    ['', 'anything', false],
  ])('excluded %s, name %s: %s', (base, name, allowed) => {
    expect(namesOutside({ ...open, excludedDns: [base] }, { dns: [name], ip: [] })).toEqual(allowed ? [] : [name]);
  });

  it.each([
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.128/25', '10.0.0.129', true],
    ['10.0.0.128/25', '10.0.0.127', false],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['0.0.0.0/0', 'fd00::1', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd00::/8', 'fe80::1', false],
  ])('network %s, address %s: %s', (network, address, inside) => {
    expect(namesOutside({ ...open, permittedIp: [network] }, { dns: ['any'], ip: [address] })).toEqual(inside ? [] : [address]);
    expect(namesOutside({ ...open, excludedIp: [network] }, { dns: ['any'], ip: [address] })).toEqual(inside ? [address] : []);
  });

  it('leaves a form of name alone that it does not speak of', () => {
    expect(namesOutside({ ...open, permittedDns: ['example.com'] }, { dns: [], ip: ['10.0.0.1'] })).toEqual([]);
    expect(namesOutside({ ...open, permittedIp: ['10.0.0.0/8'] }, { dns: ['example.com'], ip: [] })).toEqual([]);
  });
});
