import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyMarkersIn, keyTraces, tracesIn } from './key-traces.ts';

/** The control of the tests that find no key in any output: they would find it. */

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const keys: [string, string][] = [
  ['P-256', ec('P-256').export({ type: 'pkcs8', format: 'pem' }).toString()],
  ['P-256 in SEC 1', ec('P-256').export({ type: 'sec1', format: 'pem' }).toString()],
  ['P-384', ec('P-384').export({ type: 'pkcs8', format: 'pem' }).toString()],
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
];
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
const wrapped = (text: string, width: number): string => text.replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\n');

const forms: [string, (pem: string) => string][] = [
  ['PEM', (pem) => pem],
  ['PEM in JSON', (pem) => JSON.stringify({ key: pem })],
  ['PEM in YAML', (pem) => `key: |\n${pem.replaceAll(/^/gm, '    ')}`],
  ['PEM with the line ends of Windows', (pem) => pem.replaceAll('\n', '\r\n')],
  ['base64 of PEM, as in a Secret', base64],
  ['base64 of PEM, at the second alignment', (pem) => base64(`x${pem}`)],
  ['base64 of PEM, at the third alignment', (pem) => base64(`xx${pem}`)],
  ['base64 of PEM in JSON', (pem) => base64(JSON.stringify({ key: pem }))],
  ['base64 of PEM, wrapped', (pem) => wrapped(base64(pem), 76)],
  ['base64 of DER', (pem) => base64(derOf(pem))],
  ['base64 of DER, at the second alignment', (pem) => base64(Buffer.concat([Buffer.from('x'), derOf(pem)]))],
  ['base64 of DER, at the third alignment', (pem) => base64(Buffer.concat([Buffer.from('xx'), derOf(pem)]))],
  ['base64 of DER, wrapped', (pem) => wrapped(base64(derOf(pem)), 60)],
];

describe.each(keys)('a key (%s)', (_, pem) => {
  test.each(forms)('is found as %s', (__, form) => {
    expect(tracesIn(`before ${form(pem)} after`, keyTraces(pem))).not.toEqual([]);
  });

  test.each(forms)('is known as %s, without the key itself', (__, form) => {
    const isSec1 = pem.includes('EC PRIVATE') || pem.includes('RSA PRIVATE');
    // Only PKCS#8, which apisvc writes, starts with the algorithm.
    const whole = isSec1 ? createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString() : pem;
    expect(keyMarkersIn(`before ${form(whole)} after`)).not.toEqual([]);
  });

  test('is found as one line of its PEM', () => {
    const traces = keyTraces(pem);
    expect(pem.split('\n').filter((line) => tracesIn(line, traces).length > 0)).not.toEqual([]);
  });

  test('is not found in its public key, nor in another key', () => {
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    const open = ['', 'x', 'xx'].map((before) => base64(Buffer.concat([Buffer.from(before), spki])));
    const others = keys.filter(([, other]) => other !== pem).flatMap(([, other]) => [other, base64(other)]);
    expect(tracesIn([...open, ...others].join('\n'), keyTraces(pem))).toEqual([]);
    expect(keyMarkersIn(open.join('\n'))).toEqual([]);
  });
});
