import { UsageError } from '../../errors.ts';
import { base64, secretEntry } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { isKeyOf } from '../certificate-in-cluster.ts';
import { bundleText } from '../rotation/bundles.ts';
import { bothCas } from '../rotation/ca-copies.ts';
import { changeFault, changeFields } from '../rotation/change-fields.ts';
import { validityFault } from '../rotation/clock.ts';
import { anyApiService, leafOf, readSecret, secretNeeds, secretRef } from '../rotation/live.ts';
import type { LookAtAll } from '../rotation/look.ts';
import { ageLimit, moment } from '../rotation/moment.ts';
import { type Rotation, wordsOf } from '../rotation/rotation.ts';
import type { Trust } from '../rotation/trust-keeper.ts';
import type { Step } from '../runner.ts';

/**
 * Writes the certificate and its key into the Secret. Just before, it looks again whether every
 * APIService and every copy of the CA trusts them.
 */
export function secretStep(rotation: Rotation, { keeper, copies }: Trust, look: LookAtAll, uptake: Step): Step {
  const { namespace, name } = secretRef(rotation);
  return {
    id: 'secret',
    title: `Writing Secret ${namespace}/${name}`,
    // It also looks at the caBundles.
    needs: () => [...secretNeeds(rotation), { verb: 'list', ref: anyApiService }],
    async observe() {
      const secret = await readSecret(rotation);
      if (holds(secret, rotation)) return { state: 'done' };
      if (!rotation.to.key) return { state: 'fault', error: missingKey(rotation) };
      const fault = validityFault(rotation) ?? changeFault(rotation, secret, { data: dataOf(rotation, secret) });
      return fault ? { state: 'fault', error: fault } : { state: 'pending' };
    },
    async run() {
      const isRecent = ageLimit();
      const nothingServesFrom = async (): Promise<boolean> => (await look()).complete;
      const write = async (): Promise<boolean> => {
        while (!((await keeper.keep(nothingServesFrom)) && (await copies.keep()))) await uptake.run();
        const since = moment();
        await keeper.requireAcceptance();
        const secret = await readSecret(rotation);
        return changeFields(rotation, secret, { data: dataOf(rotation, secret) }, { isFresh: () => isRecent(since) });
      };
      // Another writer was faster, or much time went by: the caBundles may have changed too.
      while (!(await write()));
    },
  };
}

/** Whether the Secret holds the certificate with its key. */
export function holds(secret: KubeObject, { to }: Pick<Rotation, 'to'>): boolean {
  const leaf = leafOf(secret);
  return leaf !== undefined && leaf.fingerprint === to.leaf && isKeyOf(leaf, secretEntry(secret, 'tls.key'));
}

/** A pending set always has its key. */
function missingKey(rotation: Rotation): UsageError {
  const { namespace, name } = secretRef(rotation);
  const which = wordsOf(rotation).to;
  return new UsageError(`neither ${rotation.files.key} nor Secret ${namespace}/${name} has the private key of the ${which} certificate`, {
    // DIR keeps the command from getting the directory of this project.
    fix: 'Restore the file. Or finish the rollback in the project directory where the rotation was started: apisvc rotate --abort -C DIR',
  });
}

/** The CA that is left stays in ca.crt until nothing serves by it. */
function dataOf(rotation: Rotation, secret: KubeObject): Readonly<Record<string, string>> {
  const { kind, to } = rotation;
  if (!to.key) throw missingKey(rotation);
  return {
    'ca.crt': base64(kind === 'leaf' ? bundleText(to.anchors) : bothCas(secret, rotation)),
    'tls.crt': base64(to.chain),
    'tls.key': base64(to.key.reveal()),
  };
}
