import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readGivenKeys } from '../../../src/commands/keys-flag.ts';
import type { Terminal } from '../../../src/commands/terminal.ts';
import type { Registration } from '../../../src/config/schema.ts';
import { registrationOf } from '../manifests/fixture.ts';
import { fixture } from '../pki/certificates.ts';
import { authority, leaf, project, registration } from '../project/sample.ts';

const keysFrom = (isTTY: boolean, pem = '', of: Registration = registration) => {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  stdin.end(pem);
  const terminal: Pick<Terminal, 'stdin' | 'interrupt'> = { stdin: () => stdin, interrupt: new AbortController().signal };
  return (command: 'register' | 'rotate') =>
    readGivenKeys({ keys: '-' }, { dir: project(), registration: of, command }, terminal as Terminal);
};

test('--keys - refuses a terminal, and says what to pipe', async () => {
  await expect(keysFrom(true)('register')).rejects.toMatchObject({
    name: 'UsageError',
    message: '--keys - reads the keys from standard input, which is a terminal',
    fix: expect.stringMatching(/sops -d tls\.enc\.pem \| apisvc register --keys - -C /),
  });
});

test('the certificates tell which key is which', async () => {
  const both = await keysFrom(false, authority.key.reveal() + leaf.key.reveal())('rotate');
  expect([both.key?.reveal(), both.caKey?.reveal()]).toEqual([leaf.key.reveal(), authority.key.reveal()]);
  expect((await keysFrom(false, authority.key.reveal())('rotate')).key).toBeUndefined();
  await expect(keysFrom(false, authority.key.reveal())('register')).rejects.toThrow(/found no private key that matches .*tls\.crt$/);
});

test.each([
  ['unsupported type', fixture('key-x25519.pem'), ''],
  [
    'OpenSSH',
    fixture('key-openssh.pem'),
    'To convert an RSA or ECDSA key: ssh-keygen -p -m PKCS8 -f FILE\nssh-keygen cannot convert an Ed25519 key. ',
  ],
])('a key in PEM format of the wrong kind gets a fix for that kind: %s', async (kind, pem, start) => {
  const matching = /Pass the private key that matches \S+\/tls\.crt( or \S+\/ca\.crt)?\.$/;
  for (const command of ['register', 'rotate'] as const) {
    const refused = await keysFrom(false, pem)(command).catch((error) => error);
    expect(refused.message).toContain(kind);
    expect(refused.fix.replace(matching, '')).toBe(start);
  }
});

test('a server outside the cluster needs no key', async () => {
  const external = registrationOf('    external: {addresses: [192.0.2.1], port: 9443}');
  await expect(keysFrom(false, leaf.key.reveal(), external)('register')).rejects.toThrow(
    /--keys cannot be used with a server outside the cluster/,
  );
});
