import { getObject } from '../../cluster/objects.ts';
import { applyObject } from '../../cluster/ownership.ts';
import { describeRef, type ObjectRef } from '../../cluster/resources.ts';
import type { Need } from '../../cluster/status.ts';
import { RefusedError } from '../../errors.ts';
import { type CaPair, caData, caEntries, caSecretManifest } from '../../manifests/ca-secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { caIn, foreignFault, isOneOf, nameOfCaSecret } from '../ca-secret.ts';
import { type Changing, changeFields } from '../rotation/change-fields.ts';
import { hasWayBack } from '../rotation/preconditions.ts';
import type { Rotation } from '../rotation/rotation.ts';
import type { Step } from '../runner.ts';

/**
 * The private key of the CA in its Secret, during a rotation of the CA. The next CA is in entries
 * of its own until the old one has lost its trust. Then one request replaces the old CA.
 */

/** What the steps need of certs/next. */
export interface NextCaKey {
  /** The Secret with the CA. */
  readonly ref: ObjectRef;
  /** The next CA, while certs/next/ca.key has its key. */
  readonly read: () => CaPair | undefined;
  readonly remove: () => void;
  /** Whether certs/next exists. */
  readonly isIssued: () => boolean;
}

const needsOf = (ref: ObjectRef): readonly Need[] => ['get', 'patch'].map((verb) => ({ verb, ref }));

const readSecret = ({ cluster, signal }: Changing, ref: ObjectRef): Promise<KubeObject | undefined> => getObject(cluster, ref, signal);

/** Whether the Secret has the key of the CA to which the rotation goes. */
const has = (secret: KubeObject | undefined, which: keyof typeof caEntries, { to }: Rotation): boolean => {
  const pair = secret && caIn(secret, which);
  return pair !== undefined && isOneOf(pair, to.anchors);
};

/** Writes the key of the next CA to the Secret, reads it back, and removes the file. */
export function nextCaKeyStep(rotation: Rotation, { ref, read, remove, isIssued }: NextCaKey): Step {
  const { registration, cluster, signal, onProgress } = rotation;
  return {
    id: 'ca-key',
    title: `Writing the private key of the new CA to ${nameOfCaSecret(ref)}`,
    needs: () => needsOf(ref),
    async observe() {
      const secret = await readSecret(rotation, ref);
      const error = foreignFault(secret, ref, registration);
      if (error) return { state: 'fault', error };
      if (!isIssued() || read()) return { state: 'pending' };
      if (has(secret, 'next', rotation) || has(secret, 'current', rotation)) return { state: 'done' };
      // Another copy of the project may have gone back. Nobody could sign by the new CA.
      if (rotation.from && (await hasWayBack(rotation, rotation.from))) return { state: 'fault', error: lostFault(ref) };
      return { state: 'pending' };
    },
    async run() {
      const pair = read();
      if (!pair) return onProgress({ kind: 'note', what: `${lost(ref)}; the next rotation needs a new CA: apisvc rotate --ca` });
      const write = async (): Promise<boolean> => {
        const secret = await readSecret(rotation, ref);
        if (has(secret, 'next', rotation) || has(secret, 'current', rotation)) return true;
        if (secret) {
          await changeFields(rotation, secret, { data: caData('next', pair) });
          return false;
        }
        await rotation.renewLease();
        const data = { ...caData('current', undefined), ...caData('next', pair) };
        await applyObject(cluster, caSecretManifest(registration, ref.name, data).object, { force: false, dryRun: false, signal });
        onProgress({ kind: 'applied', applied: { object: describeRef(ref), change: 'created' } });
        return false;
      };
      // The file is the only copy until the Secret was read back.
      while (!(await write()));
      remove();
    },
  };
}

const lost = (ref: ObjectRef): string => `neither certs/next/ca.key nor ${nameOfCaSecret(ref)} has the private key of the new CA`;

const lostFault = (ref: ObjectRef): RefusedError =>
  new RefusedError(lost(ref), { fix: 'Roll back: apisvc rotate --abort\nThen create a new CA: apisvc rotate --ca' });

/** The `data` of a merge patch without the next CA. */
const withoutNext = { [caEntries.next.certificate]: null, [caEntries.next.key]: null };

/** Makes the next CA the one in use: one request, so that a crash leaves the old or the new CA. */
export function currentCaKeyStep(rotation: Rotation, { ref }: NextCaKey): Step {
  return {
    id: 'ca-key-current',
    title: `Replacing the CA in ${nameOfCaSecret(ref)}`,
    needs: () => needsOf(ref),
    observe: async () => ({ state: has(await readSecret(rotation, ref), 'current', rotation) ? 'done' : 'pending' }),
    async run() {
      const write = async (): Promise<boolean> => {
        const secret = await readSecret(rotation, ref);
        const next = secret && caIn(secret, 'next');
        // There is no way back any more, and the API does not need the key.
        if (!next || !isOneOf(next, rotation.to.anchors)) return true;
        return changeFields(rotation, secret, { data: { ...caData('current', next), ...withoutNext } });
      };
      while (!(await write()));
    },
  };
}

/** On the way back, removes the next CA, which nothing trusts any more. */
export function dropCaKeyStep(rotation: Changing, { ref }: Pick<NextCaKey, 'ref'>): Step {
  const hasNext = (secret: KubeObject | undefined): secret is KubeObject =>
    secret !== undefined && caEntries.next.key in ((secret.data ?? {}) as object);
  return {
    id: 'ca-key',
    title: `Removing the new CA from ${nameOfCaSecret(ref)}`,
    needs: () => needsOf(ref),
    observe: async () => ({ state: hasNext(await readSecret(rotation, ref)) ? 'pending' : 'done' }),
    async run() {
      const write = async (): Promise<boolean> => {
        const secret = await readSecret(rotation, ref);
        return !hasNext(secret) || changeFields(rotation, secret, { data: withoutNext });
      };
      while (!(await write()));
    },
  };
}
