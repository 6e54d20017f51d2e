import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipBytes, ipText } from '../../../src/pki/ip.ts';

describe('ipBytes and ipText', () => {
  it.each([
    ['10.0.0.1', '0a000001', '10.0.0.1'],
    ['::1', '00000000000000000000000000000001', '::1'],
    ['FD00:0:0:1::A', 'fd00000000000001000000000000000a', 'fd00:0:0:1::a'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221', '64:ff9b::c000:221'],
    ['::ffff:10.0.0.1', '0a000001', '10.0.0.1'],
    ['::', '00000000000000000000000000000000', '::'],
  ])('%s', (address, hex, text) => {
    const bytes = ipBytes(address);
    expect(bytes?.toString('hex')).toBe(hex);
    expect(bytes && ipText(bytes)).toBe(text);
  });

  it.each(['', 'api', '10.0.0', '10.0.0.256', 'fe80::1%eth0', '1::2::3', '[::1]'])('%s is not an IP address', (text) => {
    expect(ipBytes(text)).toBeUndefined();
  });

  it('gives back every address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const bytes = ipBytes(address) ?? Buffer.of();
        expect(ipBytes(ipText(bytes))).toEqual(bytes);
      }),
    );
  });
});
