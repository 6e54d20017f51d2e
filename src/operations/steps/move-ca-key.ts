import { getObject } from '../../cluster/objects.ts';
import type { ObjectRef } from '../../cluster/resources.ts';
import type { Registration } from '../../config/schema.ts';
import { shellWord } from '../../config/shell-word.ts';
import { RefusedError } from '../../errors.ts';
import type { CaPair } from '../../manifests/ca-secret.ts';
import { inspect } from '../../pki/inspect.ts';
import { hasCaKey, removeCaKey } from '../../project/ca-key.ts';
import { projectFiles } from '../../project/project.ts';
import { caIn, foreignFault, nameOfCaSecret } from '../ca-secret.ts';
import type { Step } from '../runner.ts';
import type { Waiting } from '../wait.ts';

interface Moving {
  readonly registration: Registration;
  readonly dir: string;
  readonly ref: ObjectRef;
  /** The CA whose key is in certs/ca.key. */
  readonly pair: CaPair;
}

/** Refuses to replace the Secret of others, and the key of a CA that is newer than this one. */
export const caSecretGuard = ({ cluster, signal, onProgress }: Waiting, { registration, dir, ref, pair }: Moving): Step => {
  let replaced = false;
  return {
    id: 'ca-secret',
    needs: () => [{ verb: 'get', ref }],
    async observe() {
      const secret = await getObject(cluster, ref, signal);
      const foreign = foreignFault(secret, ref, registration);
      if (foreign) return { state: 'fault', error: foreign };
      const present = secret && caIn(secret, 'current');
      replaced = present !== undefined && present.key.reveal() !== pair.key.reveal();
      if (!present || issuedAt(present) <= issuedAt(pair)) return { state: 'done' };
      const { caKey } = projectFiles(dir);
      const error = new RefusedError(`${nameOfCaSecret(ref)} has the private key of a newer CA than ${caKey}`, {
        fix: `Get the current certs/ from the copy of the project in which the CA was rotated, for example: git pull\nThen remove the old key: rm ${shellWord(caKey)}`,
      });
      return { state: 'fault', error };
    },
    run: async () => {},
    /** Only where the API does not work: `register` never replaces the CA of one that does. */
    reportDone() {
      if (!replaced) return;
      const what = `${nameOfCaSecret(ref)} has the private key of an older CA; replacing it with the key in ${projectFiles(dir).caKey}`;
      onProgress({ kind: 'note', what });
    },
  };
};

const issuedAt = ({ certificate }: CaPair): number =>
  Math.max(...inspect(certificate).certificates.map(({ notBefore }) => Date.parse(notBefore)));

/** Removes certs/ca.key after the Secret was read back, and has the same key. */
export const removeCaKeyStep = ({ cluster, signal, onProgress }: Waiting, { dir, ref, pair }: Moving): Step => ({
  id: 'remove-ca-key',
  title: 'Removing certs/ca.key',
  needs: () => [{ verb: 'get', ref }],
  observe: async () => ({ state: hasCaKey(dir) ? 'pending' : 'done' }),
  async run() {
    const secret = await getObject(cluster, ref, signal);
    const present = secret && caIn(secret, 'current');
    if (present?.key.reveal() !== pair.key.reveal()) {
      throw new RefusedError(`${nameOfCaSecret(ref)} does not have the private key in certs/ca.key, so the file is not removed`, {
        fix: 'Run the same command again.',
      });
    }
    const path = removeCaKey(dir);
    onProgress({ kind: 'note', what: `removed ${path}; ${nameOfCaSecret(ref)} has the private key of the CA` });
  },
});
