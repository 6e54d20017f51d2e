import { builtInGroups } from '../../config/built-in-groups.ts';
import { dns1035Label, dns1123Subdomain, nameFault } from '../../config/names.ts';
import { pathText } from '../../config/path-text.ts';
import type { ApiServiceView, ManifestView } from '../../snapshot/types.ts';
import type { Observation } from '../types.ts';
import { type Check, observation } from './check.ts';

type Fault = ManifestView['faults'][number];

/**
 * What kube-apiserver refuses about the manifest before it validates the APIService. Only for
 * files.
 */
export const checkManifest: Check = ({ api, snapshot: { manifest } }) => {
  if (!manifest) return [];
  const at = (path: Fault['path']) => ({ about: { kind: 'APIService', name: api.name, path } });
  const missing = (['group', 'version'] as const).filter((key) => api[key] === '').map((key) => `spec.${key}`);
  const { apiVersion, kind, unnamed, faults } = manifest;
  return [
    ...(apiVersion === current && kind === undefined
      ? []
      : [
          {
            ...observation('registration/api-version', [`apiVersion: ${apiVersion}`, ...(kind === undefined ? [] : [`kind: ${kind}`])], {
              apiVersion: kind === undefined ? apiVersion : `kind ${kind} of ${apiVersion}`,
              why:
                kind === undefined
                  ? whyNot(apiVersion)
                  : `kubectl does not find this kind. An APIService has apiVersion ${current} and kind APIService.`,
            }),
            ...at([kind === undefined ? 'apiVersion' : 'kind']),
          },
        ]),
    ...(unnamed ? [{ ...observation('registration/name-missing'), ...at(['metadata']) }] : []),
    ...(missing.length > 0 ? [{ ...observation('registration/incomplete', [], { missing: missing.join(' and ') }), ...at(['spec']) }] : []),
    ...(api.service && builtInGroups.has(api.group)
      ? [{ ...observation('registration/built-in-group', [`spec.group: ${api.group}`]), ...at(['spec', 'group']) }]
      : []),
    ...unknownVersion(api).map((observed) => ({ ...observed, ...at(['spec', 'version']) })),
    ...invalidNames(api, faults).map(({ field, value, why }) => ({
      ...observation('registration/invalid-name', [`spec.${field}: ${value}`], { field: `spec.${field}`, value, why }),
      ...at(['spec', field]),
    })),
    ...faults.map((fault) => ({ ...describe(fault), ...at(fault.path) })),
  ];
};

/**
 * Names that kube-apiserver rejects (kube-aggregator validation.go). Those that are missing or
 * placeholders have findings of their own.
 */
const invalidNames = (api: ApiServiceView, faults: readonly Fault[]) =>
  (
    [
      ['group', dns1123Subdomain],
      ['version', dns1035Label],
    ] as const
  ).flatMap(([field, rule]) => {
    const value = api[field];
    const why = value === '' ? undefined : nameFault(value, rule);
    return why === undefined || faults.some(({ path }) => path.join('.') === `spec.${field}`) ? [] : [{ field, value, why }];
  });

/** The versions of the metrics APIs (k8s.io/metrics/pkg/apis). Their clients know no others. */
const metricsVersions: ReadonlyMap<string, readonly string[]> = new Map([
  ['metrics.k8s.io', ['v1alpha1', 'v1beta1']],
  ['custom.metrics.k8s.io', ['v1beta1', 'v1beta2']],
  ['external.metrics.k8s.io', ['v1beta1']],
]);

function unknownVersion({ group, version }: ApiServiceView): readonly Observation[] {
  const known = metricsVersions.get(group);
  if (!known || version === '' || known.includes(version)) return [];
  return [observation('registration/unknown-version', [`spec.version: ${version}`], { known: known.join(' and ') })];
}

const current = 'apiregistration.k8s.io/v1';

/** Kubernetes deprecation guide, "v1.22", APIService. */
const whyNot = (apiVersion: string): string =>
  apiVersion.endsWith('/v1beta1')
    ? 'The version v1beta1 was removed in Kubernetes 1.22. kubectl cannot apply the manifest to a cluster of version 1.22 or newer.'
    : apiVersion.startsWith('apiregistration.k8s.io/')
      ? `This version does not exist. The only version is ${current}.`
      : `This API group does not exist. An APIService has apiVersion ${current}.`;

function describe({ kind, path, words, given = '', suggestion }: Fault): Observation {
  const field = pathText(path);
  switch (kind) {
    case 'unknown-field': {
      const action = suggestion === undefined ? `remove ${field}` : `rename ${field} to ${suggestion}`;
      const explainedBy = suggestion === 'metadata.name' ? { explainedBy: ['registration/name-missing' as const] } : {};
      return { ...observation('registration/unknown-field', [`unknown field "${field}"`], { field, action }), ...explainedBy };
    }
    case 'wrong-type':
      return observation('registration/wrong-type', [`${field}: ${given}`], { field, expected: words, given });
    case 'duplicate-key':
      return observation('manifest/duplicate-key', [], { field });
    case 'placeholder':
      return observation(field === 'spec.caBundle' ? 'bundle/placeholder' : 'manifest/placeholder', [`${field}: ${words}`], {
        field,
        placeholder: words,
        why: path.includes('service')
          ? 'kube-apiserver accepts the value, but no Service can have this name.'
          : 'kube-apiserver rejects the APIService, because the value is not a valid DNS name.',
      });
    case 'not-base64':
      if (given === 'private-key') return observation('bundle/private-key', ['the value is the PEM text of a private key']);
      return observation('bundle/not-encoded', [words], {
        why: whyNotBase64[given] ?? 'The value contains characters that are not base64, or it is truncated.',
      });
  }
}

const whyNotBase64: Readonly<Record<string, string>> = {
  pem: 'The value is PEM text, which must be base64-encoded.',
  blanks:
    'The value contains spaces, for example because ">-" in YAML joins lines with spaces. Base64 may contain line breaks, but no spaces.',
};
