import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAuthority } from '../../src/pki/authority.ts';
import { folder } from '../unit/project/folder.ts';
import { sampleProject } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: prompts on a terminal (needs tmux)'));

describe('the passphrase of a CA key', () => {
  const passphrase = 'correct-horse';
  async function withEncryptedCa(): Promise<string> {
    const cwd = folder();
    const made = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 400 * 86_400_000, now: new Date() });
    const key = createPrivateKey(made.key.reveal()).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
    writeFileSync(join(cwd, 'ca.crt'), made.certificates);
    writeFileSync(join(cwd, 'ca.key'), key);
    return cwd;
  }
  const init = 'apisvc init demo --preset sample-apiserver --ca-cert ca.crt --ca-key ca.key';

  test('is prompted for and never shown, even if stdout is a file', async () => {
    const cwd = await withEncryptedCa();
    const screen = terminal(`${init} > result`, cwd);
    await screen.until(/\? Passphrase for ca\.key/);
    screen.type(passphrase, 'Enter');
    expect(await screen.until(/exit code/)).toContain('exit code 0');
    expect(screen.read()).not.toContain(passphrase);
    expect(readFileSync(join(cwd, 'result'), 'utf8')).toMatch(/^created demo\/apisvc\.yaml\n/);
  });

  test('nothing is written if it is wrong', async () => {
    const cwd = await withEncryptedCa();
    const screen = terminal(init, cwd);
    await screen.until(/\? Passphrase for ca\.key/);
    screen.type('wrong-horse', 'Enter');
    const seen = await screen.until(/exit code/);
    expect(seen).toMatch(/error: ca\.key: wrong passphrase for the private key[\s\S]*exit code 2/);
    expect(seen).not.toContain('wrong-horse');
    expect(readdirSync(cwd).sort()).toEqual(['ca.crt', 'ca.key']);
  });
});

describe('render on a terminal', () => {
  test('omits the Secret with a note, unless --secrets include is set', async () => {
    const dir = await sampleProject(folder());
    const omitted = await terminal('apisvc render', dir).until(/exit code/);
    expect(omitted).toContain('note: Secret wardle/api-tls is not rendered');
    expect(omitted).not.toContain('kind: Secret');
    expect(omitted).not.toContain('tls.key:');
    expect(await terminal('apisvc -q render', dir).until(/exit code/)).not.toContain('not rendered');
    expect(await terminal('apisvc render --secrets include', dir).until(/exit code/)).toContain('kind: Secret');
  });

  test('errors are red, but not with NO_COLOR', async () => {
    const cwd = folder();
    const red = terminal('apisvc lint none', cwd);
    await red.until(/exit code 2/);
    expect(red.readColors()).toContain('\u001b[31merror:');
    const plain = terminal('NO_COLOR=1; export NO_COLOR; apisvc lint none', cwd);
    await plain.until(/exit code 2/);
    expect(plain.readColors()).not.toContain('\u001b[31m');
  });
});
