import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ask } from '../../scripts/story.mjs';
import { startSession } from '../docs/session.ts';
import { expectTranscript, transcriptsOf } from '../docs/transcripts.ts';
import { emptyFolder, startSandbox } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';
const path = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;

/** Waits until the control plane reports a status of Available. */
const waitForAvailable = (folder: string, status: string): Promise<void> =>
  vi.waitFor(
    async () => {
      const { conditions } = JSON.parse(await ask(folder, path)).status;
      expect(conditions).toContainEqual(expect.objectContaining({ type: 'Available', status }));
    },
    { timeout: 60_000, interval: 50 },
  );

/** The setup of a transcript, by the second word of its info string. */
const setUps: Readonly<Record<string, (folder: string, run: (command: string) => Promise<string>) => Promise<void>>> = {
  '': async () => {},
  /** The demo server is registered. */
  registered: async (folder, run) => {
    await run('apisvc init demo --preset demo --yes && apisvc register -C demo');
    await waitForAvailable(folder, 'True');
  },
  /**
   * A clone of the project in Git, whose server is registered. The private keys are in keys/, and
   * encrypted in the clone. openssl decrypts what sops and age would.
   */
  cloned: async (folder, run) => {
    await run('apisvc init demo --preset demo --yes && apisvc register -C demo');
    await waitForAvailable(folder, 'True');
    const git = 'git -C demo -c user.name=you -c user.email=you@example.com';
    await run(`git init -q demo && git -C demo add . && ${git} commit -qm Register && git clone -q demo clone`);
    const cipher = 'openssl enc -aes-256-cbc -pbkdf2 -pass file:password';
    await run('echo secret > password; touch age.txt; umask 077; mkdir keys; mv demo/certs/*.key keys');
    for (const file of ['tls.enc.pem', 'tls.age', 'tls.enc', 'ca.enc.pem']) {
      await run(`${cipher} -in keys/${file.split('.')[0]}.key -out clone/${file}`);
    }
    const decrypt = `exec ${cipher.replace('file:', '"file:$HOME/"')} -d -in "$file"`;
    for (const name of ['sops', 'age']) {
      const script = `#!/bin/sh\nfor file; do :; done\n${decrypt}\n`;
      writeFileSync(join(folder, '.bin', name), script, { mode: 0o755 });
    }
  },
  /**
   * The demo server is registered, and then its caBundle is replaced by the CA of another project.
   */
  'wrong-ca': async (folder, run) => {
    await run('apisvc init demo --preset demo --yes; apisvc register -C demo; apisvc init other --preset demo --yes');
    const caBundle = readFileSync(join(folder, 'other', 'certs', 'ca.crt')).toString('base64');
    await ask(folder, `${path}?fieldManager=kubectl-patch`, { spec: { caBundle } });
    await waitForAvailable(folder, 'False');
  },
};

/**
 * Transcripts that need a cluster, each page in its own sandbox. `npm run docs` rewrites those that
 * differ.
 */
test.each(transcriptsOf('sandbox'))('%s shows the real output', async (_, transcripts) => {
  const folder = emptyFolder();
  const sandbox = await startSandbox(['--empty'], folder);
  copyFileSync(sandbox.env.KUBECONFIG, join(folder, 'kubeconfig'));
  const session = startSession(folder, sandbox.env);
  for (const each of transcripts) {
    await setUps[each.name]?.(folder, session.run);
    await expectTranscript(each, session.run);
  }
  await sandbox.end('SIGINT');
});
