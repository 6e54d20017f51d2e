import { mayI } from '../../cluster/access.ts';
import { getObject, refOf } from '../../cluster/objects.ts';
import { type ObjectRef, resources, subresources } from '../../cluster/resources.ts';
import {
  approveSigningRequest,
  conditionOf,
  createSigningRequest,
  type SigningCondition,
  signingStatus,
} from '../../cluster/signing-requests.ts';
import type { Need } from '../../cluster/status.ts';
import { servingNames } from '../../config/registration.ts';
import type { Registration } from '../../config/schema.ts';
import { withClusterFlags } from '../../diagnosis/fix.ts';
import { RefusedError } from '../../errors.ts';
import { signerNameOf, signingRequest } from '../../issuers/csr.ts';
import { projectOf } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { caBundleOf } from '../../pki/anchors.ts';
import { certificateFaultText } from '../../pki/certificate-faults.ts';
import { inspect } from '../../pki/inspect.ts';
import { pemBlocks } from '../../pki/pem-blocks.ts';
import type { PrivateKey } from '../../pki/private-key.ts';
import type { Anchor, Issued } from '../../pki/types.ts';
import { infoOfRequest } from '../../pki/x509.ts';
import { servingFaults } from '../../project/certificates.ts';
import { requestKey } from '../../project/request-key.ts';
import { isKeyOf } from '../certificate-in-cluster.ts';
import { poll, type Waiting, waitFor } from '../wait.ts';

export interface Signing {
  readonly registration: Registration;
  readonly dir: string;
  /** The CAs of the signer. */
  readonly anchors: readonly Anchor[];
  /** The flags that select the cluster, for the command that approves. */
  readonly clusterFlags: readonly string[];
}

const anyRequest: ObjectRef = { resource: resources.CertificateSigningRequest, namespace: undefined, name: '*' };

/** The permissions to request a certificate. Approval is optional. */
export const signingNeeds: readonly Need[] = ['create', 'get'].map((verb) => ({ verb, ref: anyRequest }));

/**
 * Requests a serving certificate from a signer of the Kubernetes certificates API. Approves the
 * request where the user may, and otherwise waits until somebody does. The next run finds the
 * request again by the key in certs/request.key.
 * @throws RefusedError when the request is denied, fails or is deleted, or when the certificate
 * does not fit; DeadlineError with what it waited for; ClusterError; UsageError
 */
export async function requestCertificate(waiting: Waiting, { registration, dir, anchors, clusterFlags }: Signing): Promise<Issued> {
  const { cluster, signal, onProgress } = waiting;
  const key = await requestKey(dir, registration.spec.certificates.keyType);
  const wanted = signingRequest(registration, key);
  const { name } = wanted.metadata;
  onProgress({ kind: 'step', what: `Requesting a certificate from the signer ${signerNameOf(registration)}` });
  const ref = refOf(wanted);
  const isNew = await createSigningRequest(cluster, wanted, signal);
  const object = `certificatesigningrequest/${name}`;
  onProgress({ kind: 'applied', applied: { object, change: isNew ? 'created' : 'unchanged' } });
  const isApprover = await mayApprove(waiting, registration, name);
  const approve = withClusterFlags(`kubectl certificate approve ${name}`, clusterFlags);
  const look = async (report: (state: string) => void): Promise<string | undefined> => {
    const found = await getObject(cluster, ref, signal);
    requireOpen(found, wanted);
    const { certificate } = signingStatus(found);
    if (certificate) return Buffer.from(certificate, 'base64').toString('latin1');
    if (conditionOf(found, 'Approved')) report(`approved, but signer ${signerNameOf(registration)} has not signed it yet`);
    else if (!isApprover) report(`not approved yet; to approve it: ${approve}`);
    else {
      await approveSigningRequest(cluster, found, `Requested by apisvc for the project ${projectOf(registration)}`, signal);
      onProgress({ kind: 'note', what: `approved ${object}, because you are allowed to approve it` });
    }
    return undefined;
  };
  const signed = await waitFor(`${object} to be signed`, `kubectl describe csr ${name}`, waiting, (report) =>
    poll({ signal, report }, () => look(report)),
  );
  return fitting(signed, { registration, key, anchors, name });
}

/**
 * RBAC knows no `example.com/*`, but the admission plugin asks for it, too
 * (k8s.io/kubernetes/plugin/pkg/admission/certificates/approval, and pkg/apis/certificates).
 */
async function mayApprove({ cluster, signal }: Waiting, registration: Registration, name: string): Promise<boolean> {
  const signer = signerNameOf(registration);
  const may = (verb: string, ref: ObjectRef): Promise<boolean> => mayI(cluster, verb, ref, signal);
  const ofSigner = (each: string): ObjectRef => ({ resource: resources.Signer, namespace: undefined, name: each });
  if (!(await may('update', { resource: subresources.csrApproval, namespace: undefined, name }))) return false;
  return (await may('approve', ofSigner(signer))) || may('approve', ofSigner(`${signer.slice(0, signer.indexOf('/'))}/*`));
}

/** @throws RefusedError for a request that will not be signed, or is not the one of this key */
function requireOpen(found: KubeObject | undefined, wanted: KubeObject): asserts found is KubeObject {
  const { name } = wanted.metadata;
  if (!found) {
    throw new RefusedError(`CertificateSigningRequest ${name} was deleted before it was signed`, {
      fix: 'Run the same command again to request the certificate again.',
    });
  }
  const denied = conditionOf(found, 'Denied');
  if (denied) throw closed(`CertificateSigningRequest ${name} was denied`, denied, wanted);
  const failed = conditionOf(found, 'Failed');
  if (failed) throw closed(`signer ${specOf(wanted).signerName} failed to sign CertificateSigningRequest ${name}`, failed, wanted);
  if (!isSame(specOf(found), specOf(wanted))) {
    throw new RefusedError(`CertificateSigningRequest ${name} already exists, but its spec is different`, { fix: again(name) });
  }
}

interface RequestSpec {
  readonly request: string;
  readonly signerName: string;
  readonly usages: readonly string[];
}

const specOf = ({ spec }: KubeObject): RequestSpec => spec as RequestSpec;

/** The same request has another signature each time, because ECDSA is randomized. */
const isSame = (one: RequestSpec, other: RequestSpec): boolean =>
  one.signerName === other.signerName && one.usages.join() === other.usages.join() && signedPart(one) === signedPart(other);

function signedPart({ request }: RequestSpec): string {
  const [block] = pemBlocks(Buffer.from(request, 'base64').toString('latin1'));
  return block?.der ? infoOfRequest(block.der).toString('base64') : '';
}

const again = (name: string): string =>
  `To request the certificate again, delete the old request: kubectl delete csr ${name}\nThen run the same command again.`;

function closed(what: string, { reason, message }: SigningCondition, wanted: KubeObject): RefusedError {
  const why = [reason, message].filter(Boolean).join(': ');
  // Signers of Kubernetes itself sign for kubelets and for clients of kube-apiserver.
  const other = specOf(wanted).signerName.startsWith('kubernetes.io/')
    ? ['Use another signer: the signers of kube-controller-manager do not sign serving certificates for a Service.']
    : [];
  return new RefusedError(why === '' ? what : `${what}: ${why}`, { fix: [...other, again(wanted.metadata.name)].join('\n') });
}

interface Received extends Pick<Signing, 'registration' | 'anchors'> {
  readonly key: PrivateKey;
  readonly name: string;
}

/** @throws RefusedError with every reason why the certificate cannot be used */
function fitting(signed: string, { registration, key, anchors, name }: Received): Issued {
  const presented = inspect(signed).certificates;
  const [leaf] = presented;
  const where = `status.certificate of CertificateSigningRequest ${name}`;
  const roots = inspect(caBundleOf({ anchors })).certificates;
  const isOurs = leaf !== undefined && isKeyOf(leaf, key.reveal());
  const files = { caCertificate: 'the CA of the signer', caKey: '', certificate: where, key: where };
  const reasons = [
    ...(isOurs ? [] : [`${where} is not a certificate for the key of the request`]),
    ...servingFaults(presented, roots, servingNames(registration), new Date()).map((fault) => certificateFaultText(fault, files)),
  ];
  if (reasons.length === 0) return { chain: presented.map(({ pem }) => pem).join(''), key, anchors };
  const fix = `If the signer uses a different CA, correct spec.certificates.issuer in apisvc.yaml, and run the same command again.\n${again(name)}`;
  throw new RefusedError(
    `the certificate from signer ${signerNameOf(registration)} cannot be used:\n${reasons.map((reason) => `  ${reason}`).join('\n')}`,
    { fix },
  );
}
