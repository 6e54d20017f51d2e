import { customise } from '../../../src/config/customise.ts';
import { parseRegistration } from '../../../src/config/load.ts';
import { ownServer, type PresetName, presetNames, presetText } from '../../../src/config/presets.ts';
import type { Registration } from '../../../src/config/schema.ts';
import type { KubeObject, Manifest } from '../../../src/manifests/types.ts';
import { PrivateKey } from '../../../src/pki/private-key.ts';
import type { Issued } from '../../../src/pki/types.ts';

export const caPem = '-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n';
export const leafPem = '-----BEGIN CERTIFICATE-----\nTEVBRg==\n-----END CERTIFICATE-----\n';
export const keyText = 'the private key\n';
export const issued: Issued = { chain: leafPem, key: new PrivateKey(keyText), anchors: [{ pem: caPem, role: 'current' }] };

export const filledIn = {
  image: 'registry.example.com/my-apiserver:v1.2.3',
  apis: [
    { group: 'my.example.com', version: 'v1' },
    { group: 'my.example.com', version: 'v1beta1' },
  ],
};

/** A preset as `init` would write it. */
export const presetRegistration = (name: PresetName): Registration =>
  parseRegistration(customise(presetText(name), ownServer(name) ? filledIn : {}), 'apisvc.yaml');

/** The presets that make pods; the others are for servers that run already. */
export const deployingPresets = presetNames.filter((name) => presetRegistration(name).spec.server.existing === undefined);

/**
 * A registration whose `spec.server` and other parts of `spec` are given as YAML, indented by two.
 */
export const registrationOf = (server: string, rest = ''): Registration =>
  parseRegistration(
    `apiVersion: apisvc.dev/v1alpha1
kind: Registration
metadata:
  name: example
  namespace: example
spec:
  apis:
    - group: example.com
      version: v1
  service:
    name: api
${rest}
  server:
${server}
`,
    'apisvc.yaml',
  );

export const objectOf = (manifests: readonly Manifest[], kind: string): KubeObject => {
  const found = manifests.find(({ object }) => object.kind === kind);
  if (!found) throw new Error(`no ${kind} among ${manifests.map(({ object }) => object.kind).join(', ')}`);
  return found.object;
};

export const kindsOf = (manifests: readonly Manifest[]): string[] => manifests.map(({ object }) => object.kind);
