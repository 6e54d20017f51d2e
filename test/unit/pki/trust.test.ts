import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../src/pki/authority.ts';
import {
  caConstraints,
  endEntityConstraints,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from '../../../src/pki/extensions.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import { checkServing, type ServingFault } from '../../../src/pki/trust.ts';
import type { CertificateInfo, ServingNames } from '../../../src/pki/types.ts';
import { day, fixture, inDays, type Made, make, makeCa, now, type Recipe } from './certificates.ts';

const hostname = 'api.wardle.svc';
const read = (...files: string[]): CertificateInfo[] => files.flatMap((file) => [...inspect(fixture(file)).certificates]);
const check = (presented: readonly (Made | CertificateInfo)[], roots: readonly (Made | CertificateInfo)[], at = now): ServingFault[] =>
  checkServing({ presented: presented.map(infoOf), roots: roots.map(infoOf), hostname, now: at });
const infoOf = (made: Made | CertificateInfo): CertificateInfo => ('info' in made ? made.info : made);
/** The faults in short, e.g. `expired root CN=root`. */
const words = (faults: readonly ServingFault[]): string[] =>
  faults.map((fault) =>
    [
      fault.kind,
      'role' in fault ? fault.role : '',
      'reason' in fault ? fault.reason : '',
      fault.certificate.subject,
      'candidate' in fault ? `near ${fault.candidate.subject}` : '',
    ]
      .filter(Boolean)
      .join(' '),
  );

const served: ServingNames = { dns: [hostname], ip: [] };
const server = (issuer: Made | undefined, recipe: Partial<Recipe> = {}): Promise<Made> =>
  make({
    commonName: 'leaf',
    ...(issuer ? { issuer } : {}),
    extensions: [endEntityConstraints(), keyUsage('digitalSignature'), extendedKeyUsage(['serverAuth']), subjectAltName(served, false)],
    ...recipe,
  });

describe('checkServing finds nothing wrong with', () => {
  const healthy: [string, string[], string[]][] = [
    ['a chain of openssl', ['leaf.crt', 'intermediate.crt'], ['root.crt']],
    ['a chain that brings its root', ['leaf.crt', 'intermediate.crt', 'root.crt'], ['root.crt']],
    ['a chain in another order', ['leaf.crt', 'root.crt', 'intermediate.crt'], ['root.crt']],
    ['unrelated extras', ['leaf.crt', 'bmp-ca.crt', 'impostor.crt', 'intermediate.crt'], ['t61-ca.crt', 'impostor.crt', 'root.crt']],
    ['an intermediate as the only anchor', ['leaf.crt'], ['intermediate.crt']],
    ['the leaf itself as anchor', ['leaf.crt'], ['leaf.crt']],
    ['a cross-signed root, presented', ['leaf.crt', 'intermediate.crt', 'cross.crt'], ['cross-root.crt']],
    ['a cross-signed root in the bundle', ['leaf.crt', 'intermediate.crt'], ['impostor.crt', 'reencoded.crt', 'cross.crt']],
    ['both ways up', ['leaf.crt', 'intermediate.crt', 'cross.crt', 'root.crt'], ['root.crt', 'cross-root.crt']],
  ];
  it.each(healthy)('%s', (_, presented, roots) => {
    expect(check(read(...presented), read(...roots), new Date('2100-01-01'))).toEqual([]);
  });

  it('wildcards and IP addresses', () => {
    const presented = read('leaf.crt', 'intermediate.crt');
    const under = (name: string): string[] => words(checkServing({ presented, roots: read('root.crt'), hostname: name, now: inDays(365) }));
    expect([under('api.example.com'), under('10.0.0.1')]).toEqual([[], []]);
    expect([under('a.b.example.com'), under('10.0.0.2')]).toEqual([
      ['name-mismatch CN=api.wardle.svc'],
      ['name-mismatch CN=api.wardle.svc'],
    ]);
  });

  it('a renewed CA beside the old one of the same name, and a purpose of any', async () => {
    const old = await makeCa({ commonName: 'ca' });
    const fresh = await makeCa({ commonName: 'ca' });
    expect(check([await server(fresh)], [old, fresh])).toEqual([]);
    const any = [endEntityConstraints(), subjectAltName(served, false)];
    expect(check([await server(fresh, { extensions: any })], [old, fresh])).toEqual([]);
  });

  it('what apisvc issues, all its life long and not a second longer', async () => {
    const authority = createAuthority({ commonName: 'CA', keyType: 'ecdsa-p384', lifetimeMs: 30 * day, constrainTo: served, now });
    const leaf = await issueServing({ authority, names: served, keyType: 'ecdsa-p256', lifetimeMs: 20 * day, now });
    const { certificates: presented } = inspect(leaf.certificates);
    const { certificates: roots } = inspect((await authority).certificates);
    const at = (time: number): string[] => words(checkServing({ presented, roots, hostname, now: new Date(time) }));
    const [start, end] = [now.getTime() - 5 * 60_000, now.getTime() + 20 * day];
    fc.assert(fc.property(fc.integer({ min: start, max: end }), (time) => at(time).length === 0));
    fc.assert(
      fc.property(fc.integer({ min: end + 1, max: end + 999 * day }), (time) => at(time).includes('expired leaf CN=api.wardle.svc')),
    );
    fc.assert(
      fc.property(fc.integer({ min: start - 999 * day, max: start - 1 }), (time) =>
        at(time).includes('not-yet-valid leaf CN=api.wardle.svc'),
      ),
    );
  });
});

describe('checkServing reports', () => {
  let root: Made;
  let middle: Made;
  beforeAll(async () => {
    root = await makeCa({ commonName: 'root', notAfter: inDays(100) });
    middle = await makeCa({ commonName: 'middle', issuer: root, notAfter: inDays(50) });
  });

  it('all faults at once', async () => {
    const bad = await server(middle, {
      notAfter: inDays(10),
      extensions: [extendedKeyUsage(['clientAuth']), subjectAltName({ dns: ['other'], ip: [] }, false)],
    });
    const faults = check([bad, middle], [root], inDays(60));
    expect(words(faults)).toEqual([
      'name-mismatch CN=leaf',
      'expired leaf CN=leaf',
      'usage leaf CN=leaf',
      'expired intermediate CN=middle',
    ]);
    expect(faults[0]).toMatchObject({ hostname, names: ['other'] });
    expect(faults[2]).toMatchObject({ usages: ['clientAuth'] });
  });

  it('which certificate is out of its time', async () => {
    const leaf = await server(middle, { notAfter: inDays(900) });
    expect(words(check([leaf, middle], [root], inDays(60)))).toEqual(['expired intermediate CN=middle']);
    expect(words(check([leaf, middle], [root], inDays(120)))).toEqual(['expired intermediate CN=middle', 'expired root CN=root']);
    expect(words(check([leaf, middle], [root], inDays(-2)))).toEqual([
      'not-yet-valid leaf CN=leaf',
      'not-yet-valid intermediate CN=middle',
      'not-yet-valid root CN=root',
    ]);
    const renewed = await makeCa({ commonName: 'root', keyPair: root.keyPair, notAfter: inDays(900) });
    expect(words(check([leaf, middle], [root, renewed], inDays(120)))).toEqual(['expired intermediate CN=middle']);
  });

  it('that only the common name has the host name', async () => {
    const leaf = await server(root, { commonName: hostname, extensions: [endEntityConstraints()] });
    expect(check([leaf], [root])).toEqual([{ kind: 'common-name-only', certificate: leaf.info, hostname, commonName: hostname }]);
  });

  it('why the authority is unknown', async () => {
    const leaf = await server(middle);
    const namesake = await makeCa({ commonName: 'root' });
    const stranger = await makeCa({ commonName: 'stranger' });
    expect(words(check([leaf, middle], []))).toEqual(['unknown-authority no-such-issuer CN=middle']);
    expect(words(check([leaf, middle], [stranger]))).toEqual(['unknown-authority no-such-issuer CN=middle']);
    expect(words(check([leaf, middle], [stranger, namesake]))).toEqual(['unknown-authority other-key CN=middle near CN=root']);
    expect(words(check([leaf], [root]))).toEqual(['unknown-authority no-such-issuer CN=leaf']);
    expect(words(check([leaf, root], [root]))).toEqual(['unknown-authority intermediate-missing CN=leaf near CN=root']);
    expect(words(check([await server(undefined)], [root]))).toEqual(['unknown-authority no-such-issuer CN=leaf']);
  });

  it('that the issuer may not issue', async () => {
    const noCa = await makeCa({ commonName: 'fake', extensions: [endEntityConstraints()] });
    const noSigner = await makeCa({ commonName: 'fake', extensions: [caConstraints(0), keyUsage('digitalSignature')] });
    const bare = await makeCa({ commonName: 'fake', extensions: [] });
    for (const fake of [noCa, noSigner, bare]) {
      expect(words(check([await server(fake)], [fake]))).toEqual(['unknown-authority not-a-ca CN=leaf near CN=fake']);
    }
  });

  it('that the names are encoded differently', () => {
    expect(words(check(read('leaf.crt', 'intermediate.crt'), read('reencoded.crt'), inDays(365)))).toEqual([
      'unknown-authority name-encoding CN=Intermediate,O=Wardle near CN=Root,O=Wardle\\, quoted & Sons,C=DE',
    ]);
  });

  it('which signature and key are weak', () => {
    expect(words(check(read('sha1-leaf.crt'), read('root.crt'), inDays(365)))).toEqual(['weak-signature leaf CN=api.wardle.svc']);
    expect(check(read('rsa1024-leaf.crt'), read('root.crt'), inDays(365))).toMatchObject([
      { kind: 'weak-key', role: 'leaf', bits: 1024, refused: false },
    ]);
  });

  it('what a CA does not allow below it', async () => {
    const narrow = await makeCa({
      commonName: 'narrow',
      extensions: [caConstraints(0), nameConstraints({ dns: ['other.svc'], ip: [] }), extendedKeyUsage(['clientAuth'])],
    });
    const below = await makeCa({ commonName: 'below', issuer: narrow });
    const faults = check([await server(below), below], [narrow]);
    expect(words(faults)).toEqual(['usage root CN=narrow', 'name-constraints CN=narrow', 'path-length CN=narrow']);
    expect(faults.slice(1)).toMatchObject([{ names: [hostname] }, { limit: 0, below: 1 }]);
  });

  it('nothing of a server that presents nothing', () => {
    expect(check([], [root])).toEqual([]);
  });

  it('something within reason when hundreds of CAs have one name', async () => {
    const many = await Promise.all(Array.from({ length: 300 }, () => makeCa({ commonName: 'root' })));
    const leaf = await server(middle);
    expect(words(check([leaf, middle, ...many], many))).toEqual(['unknown-authority other-key CN=middle near CN=root']);
    expect(check([leaf, middle, ...many], [...many, root])).toEqual([]);
  });
});
