import { getObject, refOf } from '../../cluster/objects.ts';
import { RefusedError } from '../../errors.ts';
import { base64 } from '../../manifests/secret.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { timeText } from '../../pki/time-text.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { combineErrors } from '../runner.ts';
import { accepts, bundleText, expiredIn, isWide, lackedBy, type Overlap, trustsOnly, widened } from './bundles.ts';
import type { CaCopies } from './ca-copies.ts';
import { changeFault, changeFields } from './change-fields.ts';
import { readApiServices, readRotated } from './live.ts';
import { overwritesOf } from './overwrites.ts';
import { hostOf, type Rotation, wayBack, wordsOf } from './rotation.ts';

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
   * @throws RefusedError that names the manager the second time. The caBundle is right then too
   */
  keep(nothingServesFrom: () => Promise<boolean>): Promise<boolean>;
  /**
   * Writes the caBundle of the end of a rotation. Another manager may undo that once.
   * @param isFresh as for `changeFields`
   * @returns as `changeFields`
   * @throws as `changeFields`; RefusedError that names the manager the second time. The caBundle
   * trusts both CAs then
   */
  narrow(apiService: KubeObject, isFresh?: () => boolean): Promise<boolean>;
  /** @throws RefusedError where an APIService would not accept the new certificate */
  requireAcceptance(): Promise<void>;
}

/** Who verifies the certificate: APIServices, and webhooks with a copy of the CA. */
export interface Trust {
  readonly keeper: TrustKeeper;
  readonly copies: CaCopies;
}

export function trustKeeper(rotation: Rotation): TrustKeeper {
  const { kind, direction, from, to, neverServed = false, onProgress, now } = rotation;
  const isUnused = direction === 'back' && neverServed;
  const overwrites = overwritesOf(rotation, ['spec', 'caBundle'], 'the caBundle');
  /** The APIServices that this run has narrowed; `false` while it does not know the result. */
  const narrowed = new Map<string, boolean>();
  const overlap = (): Overlap => ({ from: from?.anchors ?? [], to: to.anchors, now: now() });

  const widening = (found: KubeObject): object => bundleChange(widened(viewApiService(found), overlap()));

  /**
   * The CA stays with a leaf: whatever accepts the certificate is right, also without a caBundle.
   */
  const isEnough = (object: KubeObject, nothingServesFrom: boolean): boolean =>
    kind === 'leaf'
      ? accepts(viewApiService(object), to, hostOf(rotation), now())
      : isWide(viewApiService(object), overlap(), nothingServesFrom);

  const noteOverwrite = (apiService: KubeObject): RefusedError | undefined => {
    const right = narrowed.has(apiService.metadata.name) ? `only the ${wordsOf(rotation).to} CA` : 'both CAs';
    return overwrites.note(apiService, [
      `Pause the tool that writes the caBundle, or let it write ${right}, and run the same command again to continue.`,
      ...wayBack(rotation),
    ]);
  };

  const keeper: TrustKeeper = {
    async lacking(nothingServesFrom) {
      const narrow = (await readRotated(rotation)).filter((object) => !isEnough(object, false));
      if (narrow.length === 0) return [];
      const unserved = isUnused || (await nothingServesFrom());
      return narrow.filter((object) => !isEnough(object, unserved));
    },
    widenFault: (apiService) => changeFault(rotation, apiService, widening(apiService)),
    async widen(apiService, force = false) {
      const { name } = apiService.metadata;
      for (const { subject, notAfter } of expiredIn(viewApiService(apiService), now())) {
        const what = `apiservice/${name}: the CA ${subject} in its caBundle expired on ${timeText(notAfter)}; the rotation removes it at the end`;
        onProgress({ kind: 'note', what });
      }
      // It only adds CAs to what the caBundle has, so a later version of it is widened as well.
      let found: KubeObject | undefined = apiService;
      while (found && !(await changeFields(rotation, found, widening(found), { force }))) found = await readAgain(rotation, found);
    },
    async keep(nothingServesFrom) {
      const narrow = await keeper.lacking(nothingServesFrom);
      const errors: RefusedError[] = [];
      for (const apiService of narrow) {
        const { name } = apiService.metadata;
        const isOurs = narrowed.has(name) && trustsOnly(viewApiService(apiService), to.anchors);
        if (isOurs) {
          // A pod that cannot be looked at any more may serve by the CA that is left.
          onProgress({ kind: 'note', what: `apiservice/${name}: some endpoints cannot be checked; trusting both CAs again` });
        } else {
          const error = noteOverwrite(apiService);
          if (error) errors.push(error);
        }
        if (narrowed.has(name)) narrowed.set(name, false);
        await keeper.widen(apiService, true);
        narrowed.delete(name);
        if (!isOurs) overwrites.restored(apiService);
      }
      if (errors.length > 0) throw combineErrors(errors);
      return narrow.length === 0;
    },
    async narrow(apiService, isFresh = () => true) {
      const { name } = apiService.metadata;
      if (narrowed.get(name)) {
        const error = noteOverwrite(apiService);
        if (error) {
          // It may lack the CA by which everything serves.
          await keeper.widen(apiService, true);
          throw error;
        }
        overwrites.restored(apiService);
      }
      narrowed.set(name, false);
      const after = { ...rotation, caFiles: [rotation.files.caCertificate] };
      const isWritten = await changeFields(after, apiService, bundleChange(to.anchors), { isFresh });
      if (isWritten) narrowed.set(name, true);
      else narrowed.delete(name);
      return isWritten;
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
