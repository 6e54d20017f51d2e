import { fieldOwner } from '../../cluster/managed-fields.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { RefusedError } from '../../errors.ts';
import { base64 } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { accepts, bundleText, expiredIn, isWide, lackedBy, type Overlap, widened } from './bundles.ts';
import type { CaCopies } from './ca-copies.ts';
import { changeFault, changeFields } from './change-fields.ts';
import { readApiServices } from './live.ts';
import { hostOf, type Rotation, wordsOf } from './rotation.ts';

/** Keeps the caBundle of every APIService of a Service as wide as a rotation needs it. */
export interface TrustKeeper {
  /**
   * The APIServices whose caBundle lacks a CA.
   * @param nothingServesFrom asked only where the CA that is left is missing
   */
  lacking(nothingServesFrom: () => Promise<boolean>): Promise<readonly KubeObject[]>;
  /**
   * Why `widen` would refuse to change a caBundle without `force`; undefined where it would not.
   */
  widenFault(apiService: KubeObject): RefusedError | undefined;
  /**
   * Adds the missing CAs to a caBundle. Says which ones have expired.
   * @param force whether to take the field over from other managers
   */
  widen(apiService: KubeObject, force?: boolean): Promise<void>;
  /**
   * Puts caBundles right that another manager has overwritten, once each.
   * @returns false where one was not right
   * @throws RefusedError that names the manager the second time
   */
  keep(nothingServesFrom: () => Promise<boolean>): Promise<boolean>;
  /** Writes the caBundle of the end of a rotation. @returns, @throws as `changeFields` */
  narrow(apiService: KubeObject): Promise<boolean>;
  /** @throws RefusedError where an APIService would not accept the new certificate */
  requireAcceptance(): Promise<void>;
}

/** Who verifies the certificate: APIServices, and webhooks with a copy of the CA. */
export interface Trust {
  readonly keeper: TrustKeeper;
  readonly copies: CaCopies;
}

const bundlePath = ['spec', 'caBundle'];

export function trustKeeper(rotation: Rotation): TrustKeeper {
  const { kind, from, to, onProgress, now } = rotation;
  const overwritten = new Set<string>();
  const narrowed = new Set<string>();
  const overlap = (): Overlap => ({ from: from?.anchors ?? [], to: to.anchors, now: now() });

  const widening = (found: KubeObject): object => bundleChange(widened(viewApiService(found), overlap()));

  /**
   * The CA stays with a leaf: whatever accepts the certificate is right, also without a caBundle.
   */
  const isEnough = (object: KubeObject, nothingServesFrom: boolean): boolean =>
    kind === 'leaf'
      ? accepts(viewApiService(object), to, hostOf(rotation), now())
      : isWide(viewApiService(object), overlap(), nothingServesFrom);

  const keeper: TrustKeeper = {
    async lacking(nothingServesFrom) {
      const narrow = (await readApiServices(rotation)).filter((object) => !isEnough(object, false));
      if (narrow.length === 0) return [];
      const unserved = await nothingServesFrom();
      return narrow.filter((object) => !isEnough(object, unserved));
    },
    widenFault: (apiService) => changeFault(rotation, apiService, widening(apiService)),
    async widen(apiService, force = false) {
      const { name } = apiService.metadata;
      for (const { subject, notAfter } of expiredIn(viewApiService(apiService), now())) {
        const what = `apiservice/${name}: ${subject} expired on ${notAfter} and verifies nothing; it is dropped at the end of the rotation`;
        onProgress({ kind: 'note', what });
      }
      // It only adds CAs to what the caBundle has, so a later version of it is widened as well.
      let found: KubeObject | undefined = apiService;
      while (found && !(await changeFields(rotation, found, widening(found), force))) found = await readAgain(rotation, found);
    },
    async keep(nothingServesFrom) {
      const narrow = await keeper.lacking(nothingServesFrom);
      for (const apiService of narrow) {
        const { name } = apiService.metadata;
        // A pod that cannot be looked at any more may serve by the CA that is left.
        if (narrowed.delete(name)) {
          onProgress({ kind: 'note', what: `apiservice/${name}: not every endpoint can be checked; trusting both CAs again` });
        } else {
          const owner = fieldOwner(apiService, bundlePath);
          if (overwritten.has(name)) throw overwrittenAgain(name, owner);
          onProgress({ kind: 'note', what: `apiservice/${name}: ${owner} overwrote the caBundle during the rotation; restoring it once` });
          overwritten.add(name);
        }
        await keeper.widen(apiService, true);
      }
      return narrow.length === 0;
    },
    narrow(apiService) {
      narrowed.add(apiService.metadata.name);
      return changeFields({ ...rotation, caFiles: [rotation.files.caCertificate] }, apiService, bundleChange(to.anchors));
    },
    async requireAcceptance() {
      const time = now();
      const refusing = (await readApiServices(rotation)).filter((each) => !accepts(viewApiService(each), to, hostOf(rotation), time));
      if (refusing.length === 0) return;
      const which = wordsOf(rotation).to;
      const reasons = refusing.map((object) => {
        const missing = lackedBy(viewApiService(object), to.anchors, time).map(({ subject }) => subject);
        return `apiservice/${object.metadata.name}${missing.length > 0 ? ` lacks ${missing.join(', ')}` : ''}`;
      });
      throw new RefusedError(`the ${which} certificate would not be trusted: ${reasons.join('; ')}; the Secret is unchanged`, {
        fix: 'Compare the project with the cluster: apisvc status',
      });
    },
  };
  return keeper;
}

const bundleChange = (anchors: readonly CertificateInfo[]): object => ({ spec: { caBundle: base64(bundleText(anchors)) } });

const readAgain = ({ cluster, signal }: Rotation, object: KubeObject): Promise<KubeObject | undefined> =>
  getObject(cluster, refOf(object), signal);

const overwrittenAgain = (name: string, owner: string): RefusedError =>
  new RefusedError(`apiservice/${name}: ${owner} overwrote the caBundle a second time during the rotation`, {
    fix: [
      'Pause the tool that writes the caBundle, or let it write both CAs, and run the same command again to continue.',
      'To go back: apisvc rotate --abort',
    ].join('\n'),
  });
