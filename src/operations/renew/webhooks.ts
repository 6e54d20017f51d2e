import { RefusedError } from '../../errors.ts';
import { caName } from '../../manifests/cert-manager.ts';
import type { CertificateInfo } from '../../pki/types.ts';
import { textOf } from '../../snapshot/views.ts';
import { lackedBy, trustsAny } from '../rotation/bundles.ts';
import { serviceOf } from '../rotation/rotation.ts';
import { clientsByService, lookAtCallers, nameOf, stopInjection } from '../rotation/webhooks.ts';
import type { Where } from './renew-step.ts';

/**
 * Checks the webhooks of the Service before cert-manager replaces its CA. They have caBundles of
 * their own, which neither apisvc nor the annotation of the APIServices changes.
 * @param anchors the CAs of the certificate in use
 * @param signer the CA that signs from now on; undefined where it is not renewed yet
 * @throws RefusedError with the webhooks that would reject the next certificate
 */
export async function requireWebhooks(
  where: Where,
  anchors: readonly CertificateInfo[],
  signer: readonly CertificateInfo[] | undefined,
): Promise<void> {
  const { registration, onProgress, now } = where;
  const { namespace, name } = serviceOf(where);
  const { calling, notListed } = await lookAtCallers(where);
  if (notListed.length > 0) {
    const what = `not checked: whether webhooks of Service ${namespace}/${name} accept the new certificate (${notListed.join('; ')})`;
    onProgress({ kind: 'note', what });
  }
  const rejecting = calling.filter((each) =>
    clientsByService(each, where).some((client) => {
      const bundle = { caBundle: textOf(client.caBundle) };
      return trustsAny(bundle, anchors) && (signer === undefined || lackedBy(bundle, signer, now()).length > 0);
    }),
  );
  if (rejecting.length === 0) return;
  const ca = caName(registration);
  throw new RefusedError(
    `webhooks of Service ${namespace}/${name} trust only the current CA: ${rejecting.map(nameOf).join(', ')}\nnothing was changed`,
    {
      fix: [
        ...(signer === undefined ? [`Renew the CA: cmctl renew -n ${namespace} ${ca}`] : []),
        ...stopInjection(rejecting),
        'Add the new CA to the caBundle of each of these webhooks, and keep the current one:',
        ...rejecting.map((each) => `kubectl edit ${nameOf(each)}`),
        'Then run: apisvc rotate',
      ].join('\n'),
    },
  );
}
