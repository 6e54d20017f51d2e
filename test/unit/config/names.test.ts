import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMessage, parseDuration } from '../../../src/config/duration.ts';
import { dns1035Label, dns1123Label, dns1123Subdomain, labelFault, nameFault } from '../../../src/config/names.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { pathText } from '../../../src/config/path-text.ts';
import { shown } from '../../../src/config/shown.ts';

describe('nameFault', () => {
  it.each([
    ['a-1', dns1123Label, undefined],
    ['1a', dns1123Label, undefined],
    ['1a', dns1035Label, dns1035Label.message],
    ['a.b', dns1123Label, dns1123Label.message],
    ['a.b-c.d', dns1123Subdomain, undefined],
    ['a..b', dns1123Subdomain, dns1123Subdomain.message],
    ['A', dns1123Subdomain, dns1123Subdomain.message],
    ['a-', dns1123Label, dns1123Label.message],
    ['a\n', dns1123Label, dns1123Label.message],
    ['', dns1123Label, 'must not be empty'],
    ['a'.repeat(63), dns1035Label, undefined],
    ['a'.repeat(64), dns1035Label, 'must be no more than 63 characters'],
    ['a'.repeat(254), dns1123Subdomain, 'must be no more than 253 characters'],
  ])('%j', (name, rule, fault) => {
    expect(nameFault(name, rule)).toBe(fault);
  });
});

describe('labelFault', () => {
  it.each([
    ['app', 'x', undefined],
    ['app.kubernetes.io/name', 'A_b.c-d', undefined],
    ['a', '', undefined],
    ['a', '-x', /^a label value must be empty or/],
    ['a', 'x'.repeat(64), /^a label value/],
    ['-a', 'x', /^a label key must/],
    ['a/b/c', 'x', /^a label key must/],
    ['A.b/c', 'x', /^prefix of a label key: a lowercase RFC 1123 subdomain/],
    ['/c', 'x', /^prefix of a label key: must not be empty/],
  ])('%s=%s', (key, value, fault) => {
    if (fault === undefined) expect(labelFault(key, value)).toBeUndefined();
    else expect(labelFault(key, value)).toMatch(fault);
  });
});

describe('parseDuration', () => {
  it.each([
    ['90s', 90_000],
    ['2m', 120_000],
    ['12h', 43_200_000],
    ['90d', 7_776_000_000],
    ['100y', 100 * 365 * 86_400_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '0d', '-1d', '1.5d', '90', 'd', '1w', '101y', ' 1d', '1d ', '9'.repeat(400).concat('s')])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(durationMessage).toContain('90d');
  });
});

describe('nearest', () => {
  it.each([
    ['imgae', ['image', 'args'], 'image'],
    ['livenessprobe', ['liveness-probe'], 'liveness-probe'],
    ['rsa2048', ['rsa-2048', 'rsa-4096'], 'rsa-2048'],
    ['x', ['to'], undefined],
    ['something', ['image', 'args'], undefined],
  ])('%s', (word, candidates, meant) => {
    expect(nearest(word, candidates)).toBe(meant);
  });
});

describe('pathText', () => {
  it('writes list items and strange keys in brackets', () => {
    expect(pathText(['spec', 'apis', 0, 'group'])).toBe('spec.apis[0].group');
    expect(pathText(['metadata', 'labels', 'a/b.c'])).toBe('metadata.labels["a/b.c"]');
    expect(pathText([])).toBe('');
  });
});

describe('shown', () => {
  it('is short, on one line, and harmless to a terminal, whatever the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(shown(text).length).toBeLessThanOrEqual(60);
        expect(shown(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('shows plain values as they are', () => {
    expect(['a "b"', 1, true, null, [1]].map(shown)).toEqual(['"a \\"b\\""', '1', 'true', 'null', '[1]']);
  });

  it('never shows a private key', () => {
    expect(shown({ a: '-----BEGIN RSA PRIVATE KEY-----\nMIIE' })).toBe('[private key]');
  });
});
