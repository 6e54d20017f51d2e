import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proxyFor } from '../../../src/cluster/proxy.ts';

const proxy = 'http://proxy.example.com:3128';
const server = 'https://kube.example.com:6443';
const excluded = (NO_PROXY: string, url = server): boolean => proxyFor(url, { HTTPS_PROXY: proxy, NO_PROXY }) === undefined;

describe('the proxy', () => {
  test('is that of the scheme; lower case wins, an empty value is ignored', () => {
    const env = { HTTPS_PROXY: 'http://s', HTTP_PROXY: 'http://p' };
    expect(proxyFor(server, env)).toBe('http://s');
    expect(proxyFor('http://kube.example.com', env)).toBe('http://p');
    expect(proxyFor(server, { ...env, https_proxy: 'http://lower' })).toBe('http://lower');
    expect(proxyFor(server, { ...env, https_proxy: '' })).toBe('http://s');
    expect(proxyFor(server, { HTTP_PROXY: 'http://p' })).toBeUndefined();
  });

  test.each([
    ['proxy.example.com:3128', 'http://proxy.example.com:3128'],
    ['proxy', 'http://proxy'],
    ['10.0.0.1:80', 'http://10.0.0.1:80'],
    ['socks5://proxy:1080', 'socks5://proxy:1080'],
    ['http://user:secret@proxy', 'http://user:secret@proxy'],
    ['a b', undefined],
  ])('%s is %s', (HTTPS_PROXY, expected) => {
    expect(proxyFor(server, { HTTPS_PROXY })).toBe(expected);
  });

  test.each(['https://localhost:6443', 'https://127.0.0.1', 'https://127.8.9.1:1', 'https://[::1]:6443', 'https://[::ffff:127.0.0.1]'])(
    'never for %s',
    (url) => {
      expect(proxyFor(url, { HTTPS_PROXY: proxy })).toBeUndefined();
    },
  );

  test('is undefined for anything but a URL', () => {
    for (const url of ['', 'kube', 'ftp://kube']) expect(proxyFor(url, { HTTPS_PROXY: proxy, HTTP_PROXY: proxy })).toBeUndefined();
  });
});

describe('NO_PROXY', () => {
  test.each([
    ['*'],
    ['kube.example.com'],
    ['KUBE.Example.com'],
    ['example.com'],
    ['.example.com'],
    ['*.example.com'],
    ['kube.example.com:6443'],
    ['.example.com:6443'],
    ['other, kube.example.com ,x'],
    [',,example.com'],
  ])('%s matches the server', (entries) => {
    expect(excluded(entries)).toBe(true);
    expect(proxyFor(server, { https_proxy: proxy, no_proxy: entries, NO_PROXY: 'other' })).toBeUndefined();
  });

  test.each([
    [''],
    ['ube.example.com'],
    ['.kube.example.com'],
    ['*.kube.example.com'],
    ['kube.example.com:443'],
    [':6443'],
    ['.'],
    ['com.'],
    ['10.0.0.0/8'],
  ])('%j does not', (entries) => {
    expect(excluded(entries)).toBe(false);
  });

  test('a URL without a port has the port of the scheme', () => {
    expect(excluded('kube:443', 'https://kube')).toBe(true);
    expect(excluded('kube:6443', 'https://kube')).toBe(false);
  });

  test.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3:6443', '10.1.2.3', true],
    ['10.1.2.3:443', '10.1.2.3', false],
    ['10.1.2.4', '10.1.2.3', false],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/16', '10.1.2.3', false],
    ['10.0.0.0/99', '10.0.0.0', false],
    ['.2.3', '10.1.2.3', false],
    ['fd00::/8', '[fd00:1::2]', true],
    ['fd00:1:0::2', '[fd00:1::2]', true],
    ['[fd00:1::2]:6443', '[fd00:1::2]', true],
    ['[fd00:1::2]:443', '[fd00:1::2]', false],
    ['fd01::/16', '[fd00:1::2]', false],
    ['10.0.0.0/8', '[fd00:1::2]', false],
  ])('%s and %s: %s', (entry, host, expected) => {
    expect(excluded(entry, `https://${host}:6443`)).toBe(expected);
  });

  test('a CIDR contains exactly the addresses with its prefix', () => {
    const address = fc.tuple(fc.integer({ min: 1, max: 126 }), fc.nat(255), fc.nat(255), fc.nat(255));
    const number = (parts: readonly number[]): bigint => BigInt(parts.reduce((sum, part) => sum * 256 + part, 0));
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), (base, host, length) => {
        const same = number(base) >> BigInt(32 - length) === number(host) >> BigInt(32 - length);
        expect(excluded(`${base.join('.')}/${length}`, `https://${host.join('.')}:6443`)).toBe(same);
      }),
    );
  });

  test('any value is accepted without an error', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, url) => {
        proxyFor(server, { HTTPS_PROXY: text, NO_PROXY: text });
        proxyFor(url, { HTTPS_PROXY: proxy, NO_PROXY: text });
      }),
    );
  });
});
