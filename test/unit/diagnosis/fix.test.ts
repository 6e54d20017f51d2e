import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Code, catalog, entryOf } from '../../../src/diagnosis/catalog.ts';
import { fillFix, fixParts, withClusterFlags } from '../../../src/diagnosis/fix.ts';

const shown = (fix: string): string[] => fixParts(fix).map(({ kind, text }) => `${kind}: ${text}`);

describe('the parts of a fix', () => {
  test.each([
    ['`kubectl get --raw /apis/a/v1`', ['command: kubectl get --raw /apis/a/v1']],
    [
      '`kubectl -n a describe pod b`; `kubectl -n a logs b`; then correct the image, or its name; nothing else',
      ['command: kubectl -n a describe pod b', 'command: kubectl -n a logs b', 'text: then correct the image, or its name; nothing else'],
    ],
    ['Wait: `apisvc verify a --wait`', ['text: Wait:', 'command: apisvc verify a --wait']],
    [
      '`kubectl patch a -p \'[{"op":"a","path":"b"}]\'`; and so on.',
      ['command: kubectl patch a -p \'[{"op":"a","path":"b"}]\'', 'text: and so on.'],
    ],
    ['apisvc register needs -y.', ['text: apisvc register needs -y.']],
  ])('%s', (fix, parts) => {
    expect(shown(fix)).toEqual(parts);
  });

  test.each(Object.keys(catalog) as Code[])('of %s are whole commands and separate texts', (code) => {
    for (const { kind, text } of fixParts(entryOf(code).fix)) {
      if (kind === 'command') expect(text).toMatch(/^(kubeadm|kubectl|cmctl|apisvc|openssl|base64|helm|ytt|mv) \S.*\S$/);
      else expect(text).not.toMatch(/^\W|[;,]$|(^|; )kubectl -|`/);
    }
  });
});

describe('a value in a fix', () => {
  test('is unchanged in text, and in a command if it needs no quotes', () => {
    const args = { name: 'v1.a.example.com', words: '$(id) it' };
    expect(fillFix('`kubectl get {name}`; {words}', args)).toBe('`kubectl get v1.a.example.com`; $(id) it');
  });

  test('in text does not start a command', () => {
    expect(shown(fillFix('Look at {words}', { words: '`rm -rf /`' }))).toEqual(["text: Look at 'rm -rf /'"]);
  });

  test('is one word for a shell, or a part of one, whatever it contains', () => {
    const template = '`printf %s {value}`; `printf %s --a={value}`; `printf %s \'{"a":"{value}"}\'`';
    // Arguments of a program end at a NUL.
    const value = fc
      .oneof(fc.constantFrom('$(id)', '`id`', "'; id; '", '--all', ''), fc.string({ unit: 'binary', maxLength: 12 }))
      .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text);
    fc.assert(
      fc.property(value, (value) => {
        const parts = fixParts(fillFix(template, { value }));
        expect(parts.map(({ kind }) => kind)).toEqual(['command', 'command', 'command']);
        const ran = execFileSync('bash', ['-c', parts.map(({ text }) => text).join('; printf "\\0"; ')]).toString();
        expect(ran.split('\0')).toEqual([value, `--a=${value}`, `{"a":"${value}"}`]);
      }),
      { numRuns: 40 },
    );
  });
});

test('commands use the diagnosed cluster', () => {
  const flags = ['--kubeconfig=/home/a b/config', '--context=two'];
  const template =
    '`kubectl create secret x --dry-run=client -o yaml | kubectl apply -f -`; `apisvc register --force-conflicts`; `apisvc init && apisvc register`; kubectl';
  expect(fillFix(template, {}, { clusterFlags: flags })).toBe(
    "`kubectl '--kubeconfig=/home/a b/config' --context=two create secret x --dry-run=client -o yaml | kubectl '--kubeconfig=/home/a b/config' --context=two apply -f -`; " +
      "`apisvc register '--kubeconfig=/home/a b/config' --context=two --force-conflicts`; `apisvc init && apisvc register '--kubeconfig=/home/a b/config' --context=two`; kubectl",
  );
});

describe('the project in the commands of a fix', () => {
  const renew = 'In an apisvc project, run: `apisvc init --force-keys && apisvc register`. Then run apisvc register.';
  const fix = (directory: string, issuer: 'ca' | 'self-signed' = 'self-signed'): string =>
    fillFix(renew, {}, { clusterFlags: ['--context=a'], project: { directory, issuer } });

  test('in another directory', () => {
    expect(fix('my demo')).toBe(
      "In an apisvc project, run: `apisvc init 'my demo' --force-keys && apisvc register -C 'my demo' --context=a`. Then run apisvc register.",
    );
  });

  test('with a CA of the user, which init needs again', () => {
    expect(fix('.', 'ca')).toContain('`apisvc init --force-keys --ca-cert FILE --ca-key FILE && apisvc register --context=a`');
  });

  test('whose directory has a backtick in its name', () => {
    const [, command] = fixParts(fix('a`b'));
    expect(command?.kind).toBe('command');
    const ran = execFileSync('bash', ['-c', `apisvc() { printf '%s|' "$@"; }; ${command?.text}`]).toString();
    expect(ran).toBe('init|a`b|--force-keys|register|-C|a`b|--context=a|');
  });
});

test('flags are added to commands at the end of a line of text too', () => {
  const fix = 'Finish it first: apisvc rotate\nOr roll back first: apisvc rotate --abort';
  expect(withClusterFlags(fix, ['--context=staging'])).toBe(
    'Finish it first: apisvc rotate --context=staging\nOr roll back first: apisvc rotate --context=staging --abort',
  );
  const complete = withClusterFlags(fix, ['--kubeconfig=/a b']);
  expect(withClusterFlags(complete, ['--kubeconfig=/a b'])).toBe(complete);
});

describe('a fix that renews the certificate', () => {
  const fix = 'Renew it. In an apisvc project, run: `apisvc rotate --ca`. Otherwise, use the tool that issued it.';

  test.each(['self-signed', 'ca', 'csr'] as const)('names rotate in a project with the issuer %s', (issuer) => {
    expect(fillFix(fix, {}, { project: { directory: '.', issuer } })).toBe(fix);
  });

  test.each(['existing-secret', 'cert-manager', 'openshift-service-ca', 'insecure'] as const)(
    'does not name rotate where %s issues',
    (issuer) => {
      expect(fillFix(fix, {}, { project: { directory: '.', issuer } })).toBe('Renew it. Use the tool that issued it.');
    },
  );

  test('names rotate without --ca where cert-manager renews', () => {
    const project = { directory: '.', issuer: 'cert-manager' } as const;
    const plain = fix.replace(' --ca', '');
    expect(fillFix(plain, {}, { project })).toBe(plain);
  });

  test('names register only where apisvc writes the Secret', () => {
    const text = 'In an apisvc project, run: `apisvc register --only secrets`. Otherwise, replace it.';
    expect(fillFix(text, {}, { project: { directory: '.', issuer: 'ca' } })).toBe(text);
    expect(fillFix(text, {}, { project: { directory: '.', issuer: 'existing-secret' } })).toBe('Replace it.');
  });
});
