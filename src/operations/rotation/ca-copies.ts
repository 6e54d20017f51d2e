import { fieldOwner } from '../../cluster/managed-fields.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import { base64, secretEntry } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { distinct } from '../../pki/anchors.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { poll, waitFor } from '../wait.ts';
import { bundleText } from './bundles.ts';
import { changeFields } from './change-fields.ts';
import { readSecret, secretRef } from './live.ts';
import { type Rotation, wayBack, wordsOf } from './rotation.ts';
import { breaks, webhookCheck } from './webhooks.ts';

/**
 * The caBundles of webhooks that cert-manager copies from `ca.crt` of the Secret
 * (cert-manager pkg/controller/cainjector). The copy takes a moment, so that `ca.crt` gets both CAs
 * before the certificate.
 */
export interface CaCopies {
  /**
   * Looks at all webhooks of the Service.
   * @returns why the rotation may not go on, and whether a copy lacks the CA
   */
  observe(): Promise<{ readonly conflict: RefusedError | undefined; readonly isPending: boolean }>;
  /**
   * Waits until every copy accepts the certificate, and puts both CAs into the Secret for that.
   * Without such copies it writes nothing, and does not wait.
   * @returns false where it waited: the kube-apiservers have not taken the copies up yet
   * @throws RefusedError where the CAs in the Secret were overwritten; DeadlineError
   */
  keep(): Promise<boolean>;
}

const showInjector = 'kubectl get pods --all-namespaces -l app.kubernetes.io/name=cainjector';

export function caCopies(rotation: Rotation): CaCopies {
  const { cluster, signal, kind } = rotation;
  const check = webhookCheck(rotation);
  let copies: readonly KubeObject[] | undefined;
  const outdated = async (): Promise<readonly string[]> => {
    copies ??= (await check()).copies;
    const found = await Promise.all(copies.map((each) => getObject(cluster, refOf(each), signal)));
    return found.flatMap((each) => (each && breaks(each, rotation) ? describeRef(refOf(each)) : []));
  };
  return {
    async observe() {
      const found = await check();
      copies = found.copies;
      return { conflict: found.conflict, isPending: copies.some((each) => breaks(each, rotation)) };
    },
    async keep() {
      // The CA stays with a leaf.
      if (kind === 'leaf') return true;
      const names = await outdated();
      if (names.length === 0) return true;
      await addBoth(rotation);
      await untilCopied(rotation, names, outdated);
      return false;
    },
  };
}

/** The value of `ca.crt` while pods may serve by either CA. It keeps what the Secret has. */
export function bothCas(secret: KubeObject, { from, to }: Pick<Rotation, 'from' | 'to'>): string {
  const all = [...to.anchors, ...(from?.anchors ?? []), ...casOf(secret)];
  return bundleText(distinct(all));
}

const casOf = (secret: KubeObject): readonly CertificateInfo[] => inspect(secretEntry(secret, 'ca.crt')).certificates;

/** Whether `ca.crt` has both CAs. */
function hasBoth(secret: KubeObject, { from, to }: Rotation): boolean {
  const found = new Set(casOf(secret).map(({ fingerprint }) => fingerprint));
  return [...to.anchors, ...(from?.anchors ?? [])].every(({ fingerprint }) => found.has(fingerprint));
}

/** Adds the missing CAs to the Secret. The certificate and its key stay. */
async function addBoth(rotation: Rotation): Promise<void> {
  const write = async (): Promise<boolean> => {
    const secret = await readSecret(rotation);
    return hasBoth(secret, rotation) || changeFields(rotation, secret, { data: { 'ca.crt': base64(bothCas(secret, rotation)) } });
  };
  // Another writer was faster: the Secret may have other CAs now.
  while (!(await write()));
}

async function untilCopied(rotation: Rotation, names: readonly string[], outdated: () => Promise<readonly string[]>): Promise<void> {
  const { namespace, name } = secretRef(rotation);
  const what = `cert-manager to copy both CAs from Secret ${namespace}/${name} to ${names.join(', ')}`;
  await waitFor(what, showInjector, rotation, async (report) => {
    await poll({ signal: rotation.signal, report }, async () => {
      const left = await outdated();
      if (left.length === 0) return true;
      const secret = await readSecret(rotation);
      if (!hasBoth(secret, rotation)) throw overwritten(rotation, secret);
      report(`the caBundle of ${left.join(', ')} does not verify the ${wordsOf(rotation).to} certificate`);
      return undefined;
    });
  });
}

function overwritten(rotation: Rotation, secret: KubeObject): RefusedError {
  const { namespace, name } = secretRef(rotation);
  const owner = fieldOwner(secret, ['data', 'ca.crt']);
  return new RefusedError(`Secret ${namespace}/${name} was changed during the rotation by ${owner}: its ca.crt does not have both CAs`, {
    fix: ['Stop the tool that changes the Secret, and run the same command again to continue.', ...wayBack(rotation)].join('\n'),
  });
}
