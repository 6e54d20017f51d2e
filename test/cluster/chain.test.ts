import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import {
  caConstraints,
  endEntityConstraints,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from '../../src/pki/extensions.ts';
import { inspect } from '../../src/pki/inspect.ts';
import { issueServing } from '../../src/pki/leaf.ts';
import { checkServing } from '../../src/pki/trust.ts';
import { keyTypes } from '../../src/pki/types.ts';
import { day, fixture, type Made, make } from '../unit/pki/certificates.ts';

const hostname = 'api.wardle.svc';
let folder: string;
let verifier: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'apisvc-chain-'));
  verifier = join(folder, 'chain');
  await execa('go', ['build', '-o', verifier, '.'], { cwd: new URL('chain', import.meta.url) });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** Verifies a chain with Go, as kube-apiserver does. @returns `OK` or the error */
async function verifyWithGo(ca: string, chain: string): Promise<string> {
  const { stdout, exitCode } = await execa(verifier, [file('ca.pem', ca), file('chain.pem', chain), hostname], { reject: false });
  expect(exitCode).toBe(stdout === 'OK' ? 0 : 1);
  return stdout;
}

/**
 * Verifies the same chain with apisvc. Leaves out a weak key that Go accepts, because it is only a
 * warning.
 * @returns the kinds of faults
 */
const verifyWithApisvc = (ca: string, chain: string): string[] =>
  checkServing({ presented: inspect(chain).certificates, roots: inspect(ca).certificates, hostname, now: new Date() })
    .filter((fault) => fault.kind !== 'weak-key' || fault.refused)
    .map(({ kind }) => kind);

describe('every certificate that apisvc issues', () => {
  const names = { dns: [hostname, 'api', 'api.wardle', '*.example.com'], ip: [] };

  it.each(keyTypes)('passes Go and openssl with key type %s', async (keyType) => {
    const now = new Date();
    const authority = createAuthority({ commonName: 'CA', keyType, lifetimeMs: 3650 * day, constrainTo: names, now });
    const leaf = await issueServing({ authority, names, keyType, lifetimeMs: 365 * day, now });
    const { certificates } = await authority;
    expect(await verifyWithGo(certificates, leaf.certificates)).toBe('OK');
    expect(verifyWithApisvc(certificates, leaf.certificates)).toEqual([]);
    const [ca, chain] = [file('ca.crt', certificates), file('tls.crt', leaf.certificates)];
    for (const name of [hostname, 'api', 'some.example.com']) {
      const { stdout } = await execa('openssl', [
        ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', name],
        ...['-CAfile', ca, chain],
      ]);
      expect(stdout).toBe(`${chain}: OK`);
    }
  });

  it.each([
    ['only IP addresses', { dns: [], ip: ['10.0.0.1', 'fd00::1'] }, '-verify_ip', 'fd00::1'],
    [
      'a name too long for a common name',
      { dns: [`${'a'.repeat(63)}.${'b'.repeat(63)}.svc`], ip: [] },
      '-verify_hostname',
      `${'a'.repeat(63)}.${'b'.repeat(63)}.svc`,
    ],
  ])('passes openssl with %s', async (_, odd, option, name) => {
    const now = new Date();
    const authority = createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 30 * day, constrainTo: odd, now });
    const leaf = await issueServing({ authority, names: odd, keyType: 'ecdsa-p256', lifetimeMs: day, now });
    const [ca, chain] = [file('ca.crt', (await authority).certificates), file('tls.crt', leaf.certificates)];
    await execa('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', option, name, '-CAfile', ca, chain]);
  });

  it.each([
    ['another DNS name', { dns: ['api'], ip: [] }, { dns: [hostname], ip: [] }],
    ['an IP address, with no IP address permitted', { dns: [hostname], ip: [] }, { dns: [hostname], ip: ['10.0.0.1'] }],
    ['another IP address', { dns: [hostname], ip: ['10.0.0.2'] }, { dns: [hostname], ip: ['10.0.0.1'] }],
    ['a DNS name, with no DNS name permitted', { dns: [], ip: ['10.0.0.1'] }, { dns: [hostname], ip: ['10.0.0.1'] }],
  ])('fails in Go and openssl if the name constraints of the CA exclude %s', async (_, permitted, claimed) => {
    const root = await make({ commonName: 'root', extensions: [...caExtensions, nameConstraints(permitted)], ...lifetime });
    const leaf = await make({
      commonName: 'leaf',
      issuer: root,
      extensions: [endEntityConstraints(), extendedKeyUsage(['serverAuth']), subjectAltName(claimed, false)],
      ...lifetime,
    });
    expect(await verifyWithGo(root.info.pem, leaf.info.pem)).toMatch(/not permitted|excluded/);
    expect(verifyWithApisvc(root.info.pem, leaf.info.pem)).toEqual(['name-constraints']);
    const { stderr } = await execa('openssl', ['verify', '-CAfile', file('ca.crt', root.info.pem), file('tls.crt', leaf.info.pem)], {
      reject: false,
    });
    expect(stderr).toMatch(/permitted subtree violation|excluded subtree violation/);
  });
});

const caExtensions = [caConstraints(3), keyUsage('keyCertSign', 'cRLSign')];
const lifetime = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
const expired = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
const rarely = (): fc.Arbitrary<boolean> => fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0);

/** The faults that a CA can have. */
const caFaults = fc.record({
  expired: rarely(),
  notCa: rarely(),
  noCertSign: rarely(),
  clientOnly: rarely(),
  noPath: rarely(),
  narrow: rarely(),
});
type CaFaults = typeof caFaults extends fc.Arbitrary<infer Value> ? Value : never;

function makeCa(commonName: string, issuer: Made | undefined, faults: CaFaults): Promise<Made> {
  return make({
    commonName,
    ...(issuer ? { issuer } : {}),
    ...(faults.expired ? expired : lifetime),
    extensions: [
      faults.notCa ? endEntityConstraints() : caConstraints(faults.noPath ? 0 : 3),
      keyUsage(faults.noCertSign ? 'digitalSignature' : 'keyCertSign'),
      ...(faults.clientOnly ? [extendedKeyUsage(['clientAuth'])] : []),
      ...(faults.narrow ? [nameConstraints({ dns: ['elsewhere.svc'], ip: [] })] : []),
    ],
  });
}

describe('apisvc and Go agree', () => {
  const members = ['root', 'namesake', 'upper', 'lower', 'leaf'] as const;
  const subset = fc.shuffledSubarray([...members], { minLength: 1 });

  it('on chains with any faults, in any order, with any certificate as anchor', async () => {
    const verdicts = new Set<string>();
    const chains = fc.record({
      root: caFaults,
      upper: caFaults,
      lower: caFaults,
      leafExpired: rarely(),
      purposes: fc.constantFrom<('serverAuth' | 'clientAuth')[]>(
        ['serverAuth'],
        ['serverAuth'],
        ['clientAuth', 'serverAuth'],
        ['clientAuth'],
      ),
      name: fc.constantFrom(hostname, hostname, '*.wardle.svc', '*.svc', 'elsewhere.svc'),
      sent: fc.oneof(fc.constant([...members]), subset),
      trusted: fc.oneof(fc.constant(['root' as const]), subset),
    });
    await fc.assert(
      fc.asyncProperty(chains, async ({ root, upper, lower, leafExpired, purposes, name, sent, trusted }) => {
        const rootCa = await makeCa('root', undefined, root);
        const upperCa = await makeCa('upper', rootCa, upper);
        const lowerCa = await makeCa('lower', upperCa, lower);
        const all = {
          root: rootCa,
          namesake: await makeCa('root', undefined, root),
          upper: upperCa,
          lower: lowerCa,
          leaf: await make({
            commonName: 'leaf',
            issuer: lowerCa,
            ...(leafExpired ? expired : lifetime),
            extensions: [endEntityConstraints(), extendedKeyUsage(purposes), subjectAltName({ dns: [name], ip: [] }, false)],
          }),
        };
        const pem = (names: readonly (typeof members)[number][]): string => names.map((member) => all[member].info.pem).join('');
        const [ca, chain] = [pem(trusted), pem(['leaf', ...sent])];
        const verdict = await verifyWithGo(ca, chain);
        const faults = verifyWithApisvc(ca, chain);
        verdicts.add(verdict === 'OK' ? 'OK' : (faults[0] ?? 'none'));
        expect({ faults: faults.length > 0, verdict }).toEqual({ faults: verdict !== 'OK', verdict });
      }),
      { numRuns: 250, seed: 3 },
    );
    // Make sure that the test covers enough kinds of faults.
    expect([...verdicts]).toEqual(
      expect.arrayContaining(['OK', 'expired', 'name-mismatch', 'usage', 'unknown-authority', 'name-constraints']),
    );
  });

  it.each([
    ['leaf.crt intermediate.crt', 'root.crt'],
    ['leaf.crt intermediate.crt', 'reencoded.crt'],
    ['leaf.crt intermediate.crt', 'impostor.crt'],
    ['leaf.crt intermediate.crt cross.crt', 'cross-root.crt'],
    ['leaf.crt root.crt', 'root.crt'],
    ['sha1-leaf.crt', 'root.crt'],
    ['sha1-leaf.crt', 'sha1-leaf.crt'],
    ['rsa1024-leaf.crt', 'root.crt'],
  ])('on the chain %s with the CA %s, both from openssl', async (sent, trusted) => {
    const [chain, ca] = [sent, trusted].map((names) => names.split(' ').map(fixture).join(''));
    const verdict = await verifyWithGo(ca ?? '', chain ?? '');
    expect({ faults: verifyWithApisvc(ca ?? '', chain ?? '').length > 0, verdict }).toEqual({ faults: verdict !== 'OK', verdict });
  });

  it('on which text is a PEM file', async () => {
    const [chain, good] = [fixture('leaf.crt') + fixture('intermediate.crt'), fixture('root.crt').trimEnd().split('\n')];
    const edit = fc.record({
      line: fc.oneof(fc.constantFrom(0, 1, good.length - 1), fc.nat(good.length - 1)),
      how: fc.constantFrom<(line: string) => string>(
        (line) => ` ${line}`,
        (line) => `${line} \t`,
        (line) => `${line}\r`,
        (line) => `\ufeff${line}`,
        (line) => `# ${line}`,
        (line) => `${line}\n\n`,
        (line) => `${line}\n${line}`,
        (line) => `${line.slice(0, 20)}\n${line.slice(20)}`,
        (line) => `Key: value\n${line}`,
        (line) => `${line}\nKey: value\n`,
        (line) => line.replace('CERTIFICATE', 'X509 CERTIFICATE'),
        (line) => line.replace('E', '*'),
        () => '',
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 2 }), fc.boolean(), async (edits, twice) => {
        const lines = [...good];
        for (const { line, how } of edits) lines[line] = how(lines[line] ?? '');
        const ca = `${lines.join('\n')}\n${twice ? fixture('bmp-ca.crt') : ''}`;
        const verdict = await verifyWithGo(ca, chain);
        expect({ faults: verifyWithApisvc(ca, chain).length > 0, ca, verdict }).toEqual({ faults: verdict !== 'OK', ca, verdict });
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});
