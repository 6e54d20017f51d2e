import { describeRef } from '../../cluster/resources.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import { RefusedError } from '../../errors.ts';
import { issuerOf } from '../../issuers/issuers.ts';
import { type OthersCertificate, type OthersSecret, readOthersSecret } from '../others-secret.ts';
import { secretRef } from '../rotation/live.ts';
import type { Observation, Step } from '../runner.ts';
import { poll, type Waiting, waitFor } from '../wait.ts';

export interface OthersSecretStep extends Step {
  /** What the Secret holds; undefined before it was seen. */
  certificate(): OthersCertificate | undefined;
  /** Reads the Secret again. @returns, @throws as `readOthersSecret` */
  look(): Promise<OthersCertificate | undefined>;
}

type Source = Pick<OthersSecret, 'registration' | 'fileAnchors'>;

/** Waits until others have written the Secret, and checks that its certificate fits. */
export function othersSecretStep(waiting: Waiting, source: Source): OthersSecretStep {
  const { registration } = source;
  const ref = secretRef({ registration });
  let certificate: OthersCertificate | undefined;
  const look = async (): Promise<OthersCertificate | undefined> => {
    const found = await readOthersSecret({ ...waiting, ...source, now: new Date() });
    certificate = found ?? certificate;
    return found;
  };
  return {
    id: 'others-secret',
    title: `Waiting for Secret ${ref.namespace}/${ref.name}`,
    needs: () => [{ verb: 'get', ref }],
    async observe(): Promise<Observation> {
      try {
        return { state: (await look()) ? 'done' : 'pending' };
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        return issuerOf(registration).correctsSecret ? { state: 'pending' } : { state: 'fault', error };
      }
    },
    run: () => waitForSecret(waiting, source, look),
    certificate: () => certificate,
    look,
  };
}

async function waitForSecret(waiting: Waiting, { registration }: Source, look: () => Promise<unknown>): Promise<void> {
  const ref = secretRef({ registration });
  const { secret: writer } = responsibilitiesOf(registration);
  const issuer = issuerOf(registration);
  const details = issuer.secretCommand?.(registration) ?? `kubectl -n ${ref.namespace} get secret ${ref.name} -o yaml`;
  await waitFor(`${writer} to write ${describeRef(ref)}`, details, waiting, async (report) => {
    await poll({ signal: waiting.signal, report }, async () => {
      // First: the others write the Secret before they report that it is written.
      const words = await issuer.explainMissingSecret?.({ ...waiting, registration });
      try {
        if (await look()) return true;
      } catch (error) {
        if (!(error instanceof RefusedError && issuer.correctsSecret) || words === undefined) throw error;
      }
      report(words ?? 'no certificate in tls.crt yet');
      return undefined;
    });
  });
}
