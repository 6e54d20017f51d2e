import { describe, expect, test } from 'vitest';
import { endEntityConstraints, extendedKeyUsage } from '../../../src/pki/extensions.ts';
import { wouldAcceptClient } from '../../../src/pki/trust.ts';
import { inDays, type Made, make, makeCa, now, type Recipe } from './certificates.ts';

const root = await makeCa({ commonName: 'root' });
const middle = await makeCa({ commonName: 'middle', issuer: root });
const namesake = await makeCa({ commonName: 'root' });
const client = (issuer: Made, more: Partial<Recipe> = {}): Promise<Made> =>
  make({ commonName: 'jane', issuer, extensions: [endEntityConstraints(), extendedKeyUsage(['clientAuth'])], ...more });
const accepts = (presented: readonly Made[], roots: readonly Made[]): boolean =>
  wouldAcceptClient({ presented: presented.map(({ info }) => info), roots: roots.map(({ info }) => info), now });

describe('a client certificate', () => {
  test('of a CA that is trusted is believed, whatever names it carries', async () => {
    expect(accepts([await client(root)], [root])).toBe(true);
    expect(accepts([await client(root)], [namesake, root])).toBe(true);
    expect(accepts([await client(root, { extensions: [endEntityConstraints()] })], [root])).toBe(true);
  });

  test('needs what is between it and that CA', async () => {
    const jane = await client(middle);
    expect(accepts([jane, middle], [root])).toBe(true);
    expect(accepts([jane], [root])).toBe(false);
  });

  test.each([
    ['of another CA of the same name', () => client(namesake)],
    ['for servers', () => client(root, { extensions: [endEntityConstraints(), extendedKeyUsage(['serverAuth'])] })],
    ['that has expired', () => client(root, { notAfter: inDays(-0.5) })],
    ['that is not valid yet', () => client(root, { notBefore: inDays(1) })],
    ['below one that is no CA', async () => client(await client(root))],
  ])('%s is not believed', async (_, make) => {
    expect(accepts([await make()], [root])).toBe(false);
  });

  test('that is not there is not believed', () => {
    expect(accepts([], [root])).toBe(false);
  });
});
