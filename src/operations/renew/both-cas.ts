import { distinct } from '../../pki/anchors.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { trustedBy } from '../../snapshot/ca-bundle.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { isExpired, lackedBy } from '../rotation/bundles.ts';
import { bundleNeeds } from '../rotation/live.ts';
import { ageLimit, moment } from '../rotation/moment.ts';
import { combineErrors, type Step } from '../runner.ts';
import { poll, waitFor } from '../wait.ts';
import { bothRef, readBoth, writeBoth } from './both-cas-secret.ts';
import { follow, injectionFault, isInjected, isOnlyInjected, readVerifying } from './ca-source.ts';
import type { Where, Writing } from './renew-step.ts';

/** What an interrupted rotation of the CA left. */
export interface Unfinished {
  /** Whether an APIService still gets both CAs. */
  readonly isInjected: boolean;
  /** Whether the Secret is left, where nothing else is. */
  readonly isOnlySecret: boolean;
}

export async function readUnfinished(where: Where): Promise<Unfinished> {
  const injected = (await readVerifying(where)).some((each) => isInjected(each, where.registration));
  return { isInjected: injected, isOnlySecret: !injected && (await readBoth(where)).own !== undefined };
}

/** Which CAs a rotation replaces, and by which. */
export interface BothCasOptions {
  /** The CA that is replaced; empty where only the Secret knows it. */
  readonly from: readonly CertificateInfo[];
  /** The CA that signs from now on. */
  readonly next: () => Promise<readonly CertificateInfo[] | undefined>;
  /** The APIServices that need both CAs no more: the end of the rotation has reached them. */
  readonly released: ReadonlySet<string>;
}

/**
 * Has the cainjector copy both CAs into every caBundle, from a Secret that exists only while both
 * have to be trusted.
 */
export function bothCasStep(where: Writing, { from, next, released }: BothCasOptions): Step {
  const { signal, registration, now } = where;
  const ref = bothRef(registration);
  /** Both CAs. The Secret knows the old one after it was replaced. */
  const wanted = async (): Promise<readonly CertificateInfo[]> => [...from, ...(await readBoth(where)).anchors, ...((await next()) ?? [])];
  const lacking = async (): Promise<readonly string[]> => {
    const all = await wanted();
    return (await readVerifying(where))
      .filter((each) => !isOnlyInjected(each, registration) || lackedBy(viewApiService(each), all, now()).length > 0)
      .map(({ metadata }) => metadata.name)
      .filter((name) => !released.has(name));
  };
  const isRecent = ageLimit();
  const inject = async (): Promise<boolean> => {
    const since = moment();
    const isFresh = (): boolean => isRecent(since);
    const found = await readVerifying(where);
    const { own, anchors, fault } = await readBoth(where);
    if (fault) throw fault;
    const all = distinct([...found.flatMap((each) => trustedBy(viewApiService(each))), ...from, ...anchors, ...((await next()) ?? [])]);
    // The cainjector drops expired ones.
    const valid = all.filter((each) => !isExpired(each, now()));
    if (!(await writeBoth(where, own, valid, isFresh))) return false;
    for (const each of found.filter((apiService) => !isOnlyInjected(apiService, registration))) {
      if (!(await follow(where, each, 'both', isFresh))) return false;
    }
    return true;
  };
  return {
    id: 'trust-both',
    title: 'Trusting both CAs',
    needs: () => [...bundleNeeds, ...['get', 'create', 'patch', 'delete'].map((verb) => ({ verb, ref }))],
    async observe() {
      const { fault } = await readBoth(where);
      const faults = [
        ...(fault ? [fault] : []),
        ...(await readVerifying(where)).flatMap((each) => injectionFault(each, registration) ?? []),
      ];
      if (faults.length > 0) return { state: 'fault', error: combineErrors(faults) };
      return { state: (await lacking()).length === 0 ? 'done' : 'pending' };
    },
    async run() {
      // Another writer was faster, or much time went by: there may be other CAs now.
      while (!(await inject()));
      const details = 'kubectl -n cert-manager logs deployment/cert-manager-cainjector';
      await waitFor("cert-manager's cainjector to write both CAs", details, where, (report) =>
        poll({ signal, report }, async () => {
          const left = await lacking();
          if (left.length === 0) return true;
          report(`the caBundle of apiservice/${left.join(', apiservice/')} lacks a CA`);
          return undefined;
        }),
      );
    },
  };
}
