import { refOf } from '../../cluster/objects.ts';
import { describeRef } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Container, flagsOf } from '../../snapshot/server-flags.ts';
import { hasNamedPairs, servingContainer } from '../../snapshot/server-view.ts';
import { type Json, listOf, textOf } from '../../snapshot/views.ts';
import { describeManager, managerOf } from '../manager.ts';
import type { RunningServer } from './find.ts';

/** The Deployment and the container that get the certificate. */
export interface ServerProgram {
  readonly deployment: KubeObject;
  readonly container: string;
  /** A directory of the container in which nothing is mounted. */
  readonly mountPath: string;
}

/** The pod that a Deployment makes. */
const podOf = ({ metadata, spec }: KubeObject & Json): KubeObject & Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: metadata.name, namespace: metadata.namespace },
  spec: spec?.template?.spec,
});

/** The volume of `templates/manifests/existing-deployment.yaml`. */
const ourVolume = 'apisvc-serving-cert';
const mountPaths = ['/var/run/serving-cert', '/var/run/apisvc/serving-cert'] as const;

/**
 * Finds what gets the certificate.
 * @throws RefusedError for a server that is no Deployment, or whose certificate flags are not known
 */
export function findProgram({ deployments, otherOwners, targetPort }: RunningServer, service: string): ServerProgram {
  const [deployment, ...more] = deployments;
  if (!deployment || more.length > 0 || otherOwners.length > 0) {
    const names = [...deployments.map((each) => `Deployment ${each.metadata.name}`), ...otherOwners];
    throw new RefusedError(`the pods of Service ${service} do not belong to one Deployment, but to ${names.join(', ')}`, {
      fix: ownProject(
        `Mount a Secret with a serving certificate and its CA (tls.crt, tls.key, ca.crt) in each of them, and run this command again.`,
      ),
    });
  }
  const name = describeRef(refOf(deployment));
  const pod = podOf(deployment);
  const container = servingContainer(pod, targetPort);
  if (!container) {
    throw new RefusedError(`several containers of ${name} may serve port ${targetPort}, and none declares it`, {
      fix: `Declare the port in the container that serves it (containerPort), and run this command again.`,
    });
  }
  const fault = programFault(container);
  if (fault !== undefined) {
    throw new RefusedError(`the certificate flags of container "${container.name}" in ${name} are not known: ${fault}`, {
      fix: ownProject(
        'If the server has certificate flags, describe them in apisvc.yaml with spec.certificates.flags and spec.certificates.files.',
      ),
    });
  }
  const taken = listOf(container.volumeMounts).filter(({ name: volume }) => volume !== ourVolume);
  const isFree = (path: string): boolean => !taken.some(({ mountPath }) => textOf(mountPath).replace(/\/+$/, '') === path);
  return { deployment, container: textOf(container.name), mountPath: mountPaths.find(isFree) ?? mountPaths[1] };
}

const ownProject = (first: string): string =>
  `${first}\nOr create the project yourself, and register it: apisvc init DIR --preset metrics-server-existing`;

/** Why apisvc cannot add `--tls-cert-file`; undefined where it can. */
function programFault(container: Container): string | undefined {
  const words = [...(container.command ?? []), ...(container.args ?? [])].map(textOf);
  if (words.some((word, index) => /(^|\/)(ba|da|a|z)?sh$/.test(word) && /^-\w*c$/.test(words[index + 1] ?? '')))
    return 'a shell starts the server';
  if (hasNamedPairs(container)) return '--tls-sni-cert-key selects the certificate';
  const flags = flagsOf(container);
  // Servers that are built with k8s.io/apiserver have all of these flags.
  if (
    flags.some((flag) =>
      /^--(secure-port|tls-cert-file|tls-private-key-file|cert-dir|requestheader-|authentication-|authorization-|client-ca-file)/.test(
        flag,
      ),
    )
  )
    return undefined;
  return 'it has none of --secure-port, --tls-cert-file and --cert-dir';
}

/** What applies the Deployment again, and would undo the change. */
export function managerNotes(deployment: KubeObject, secretName: string): readonly string[] {
  const manager = managerOf(deployment);
  if (!manager) return [];
  const name = describeRef(refOf(deployment));
  const manages = `${describeManager(manager)} manages ${name}`;
  const values = 'the arguments, the volume and the caBundle';
  switch (manager.tool) {
    case 'Helm':
      return [
        `${manages}: the next upgrade may undo the change. Set the values for ${values}. For the metrics-server chart: tls.type=existingSecret, tls.existingSecret.name=${secretName}, apiService.insecureSkipTLSVerify=false and apiService.caBundle`,
      ];
    case 'kubectl apply':
      return [`${name} was created with "kubectl apply": applying the same manifests again would undo the change and break the API`];
    default:
      return [`${manages}: the next sync may undo the change. Commit ${values} to Git`];
  }
}
