import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeLeaf, pair, pem } from '../harness/certificates.ts';
import { startSampleApiserver } from '../harness/servers.ts';
import { wardleRegistration } from '../harness/wardle.ts';
import type { ControlPlane } from './control-plane.ts';

const namespace = 'wardle';
const port = 8443;

/**
 * Starts the real sample-apiserver in the network of a control plane, and registers it.
 * @returns the name of the APIService
 */
export async function registerSampleApiserver(controlPlane: ControlPlane): Promise<string> {
  const { network, stateDir, kubeconfig, ca, keep, create } = controlPlane;
  const [certFile, keyFile] = [join(stateDir, 'wardle.crt'), join(stateDir, 'wardle.key')];
  const { certificates, key } = pair(await makeLeaf(`api.${namespace}.svc`, ca));
  await writeFile(certFile, certificates);
  await writeFile(keyFile, key, { mode: 0o600 });
  keep(await startSampleApiserver({ certFile, keyFile, port, kubeconfig, on: controlPlane }));
  const registration = wardleRegistration({ namespace, address: network.address, port, authority: { certificates: pem(ca) } });
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, ...JSON.parse(registration).items);
  return 'v1alpha1.wardle.example.com';
}
