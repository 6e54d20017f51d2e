import { stringify } from 'yaml';
import valuesTemplate from '../../templates/helm/values.yaml';
import { apiServiceNames, secretName } from '../config/registration.ts';
import { hasServingSecret, responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { editableYaml, yamlText } from '../config/yaml.ts';
import type { ManifestFile } from './format.ts';
import { managedByLabel } from './labels.ts';
import { type Edits, fillTemplate } from './template.ts';
import type { KubeObject, Manifest } from './types.ts';

/** A field of a manifest that the values of the chart decide. */
interface Field {
  readonly kind: string;
  /** With dots; list items by index. */
  readonly path: string;
  /** The condition for the field. Without it, the field is always there. */
  readonly condition?: string;
  /** What follows the key. */
  readonly value: (indentation: string) => string;
}

const pod = 'spec.template.spec';

const fields: readonly Field[] = [
  {
    kind: 'Deployment',
    path: 'spec.replicas',
    condition: 'not (kindIs "invalid" .Values.replicas)',
    value: () => '{{ int .Values.replicas }}',
  },
  {
    kind: 'Deployment',
    path: `${pod}.containers.0.image`,
    value: () => '"{{ with .Values.image }}{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}{{ end }}"',
  },
  {
    kind: 'Deployment',
    path: `${pod}.containers.0.resources`,
    condition: '.Values.resources',
    value: (indentation) => `{{- toYaml .Values.resources | nindent ${indentation.length + 2} }}`,
  },
  { kind: 'Deployment', path: `${pod}.volumes.0.secret.secretName`, value: () => '{{ .Values.secretName | quote }}' },
  { kind: 'APIService', path: 'spec.caBundle', condition: '.Values.caBundle', value: () => '{{ .Values.caBundle | b64enc | quote }}' },
];

/**
 * A Helm chart of the manifests. Helm adds its own labels and creates the namespace. The chart
 * contains no Secret: a private key does not belong into a chart, and rendering it again must not
 * change a certificate.
 * @param manifests without a Secret
 */
export function helmFiles(manifests: readonly Manifest[], registration: Registration): ManifestFile[] {
  const objects = manifests.filter(({ object }) => object.kind !== 'Namespace');
  const deployment = objects.find(({ object }) => object.kind === 'Deployment')?.object;
  const values = valuesText(registration, deployment, responsibilitiesOf(registration).caBundle === 'apisvc');
  const file = (path: string, text: string): ManifestFile => ({ path, text, private: false });
  return [
    file('Chart.yaml', chartText(registration)),
    file('values.yaml', values),
    file('values.schema.json', schemaText(Object.keys(editableYaml(values).toJS() as object))),
    ...objects.map((manifest) => file(`templates/${manifest.fileName}`, templateText(manifest, registration))),
    file('templates/NOTES.txt', notesText(registration)),
  ];
}

/** The version is that of the chart; a team raises it with its own changes. */
const chartText = ({ metadata, spec }: Registration): string =>
  stringify({
    apiVersion: 'v2',
    name: metadata.name,
    description: `The extension API server ${metadata.name} and its APIServices`,
    type: 'application',
    version: '0.1.0',
    ...(spec.server.image === undefined ? {} : { appVersion: imageOf(spec.server.image).tag || 'latest' }),
  });

/** `name[:tag][@digest]`. A port of the registry is part of the name (distribution/reference). */
function imageOf(text: string): { repository: string; tag: string; digest: string } {
  const [, repository = text, tag = '', digest = ''] = /^([^@]+?)(?::([\w][\w.-]*))?(?:@(\S+))?$/.exec(text) ?? [];
  return { repository, tag, digest };
}

function valuesText(registration: Registration, deployment: KubeObject | undefined, withBundle: boolean): string {
  const { replicas, template } = (deployment?.spec ?? {}) as { replicas?: number; template?: PodTemplate };
  const [server] = template?.spec.containers ?? [];
  const document = editableYaml(valuesTemplate);
  const values: Readonly<Record<string, unknown>> = {
    image: server && imageOf(server.image),
    replicas: deployment && (replicas ?? null),
    resources: deployment && (server?.resources ?? {}),
    secretName: deployment && hasServingSecret(registration) ? secretName(registration) : undefined,
    caBundle: withBundle ? '' : undefined,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) document.delete(name);
    else document.set(name, document.createNode(value));
  }
  return yamlText(document);
}

interface PodTemplate {
  readonly spec: { readonly containers: readonly { readonly image: string; readonly resources?: object }[] };
}

const schemas: Readonly<Record<string, object>> = {
  image: {
    type: 'object',
    required: ['repository'],
    properties: { repository: { type: 'string', minLength: 1 }, tag: { type: 'string' }, digest: { type: 'string' } },
    additionalProperties: false,
  },
  replicas: { type: ['integer', 'null'], minimum: 0 },
  resources: { type: 'object' },
  secretName: { type: 'string', minLength: 1 },
  caBundle: { type: 'string', pattern: '^$|-----BEGIN CERTIFICATE-----' },
};

/** Helm checks the values against it (draft 7). Helm adds `global` to the values of every chart. */
function schemaText(names: readonly string[]): string {
  const properties = Object.fromEntries(names.map((name) => [name, schemas[name]]));
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { ...properties, global: { type: 'object' } },
    additionalProperties: false,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

const marker = (index: number): string => `APISVC-FIELD-${index}`;

/** Whether a registration has a field of the values. */
const isThere = (path: string, registration: Registration): boolean =>
  path === 'spec.caBundle'
    ? responsibilitiesOf(registration).caBundle === 'apisvc'
    : !path.endsWith('secretName') || hasServingSecret(registration);

/** The text of a manifest as a template. What looks like a template in it stays text. */
function templateText({ object, text, fileName }: Manifest, registration: Registration): string {
  const own = fields.filter(({ kind, path }) => kind === object.kind && isThere(path, registration));
  const edits: Edits = Object.fromEntries(own.map(({ path }, index) => [path, marker(index)]));
  const marked = fillTemplate(text, fileName, edits)
    .text.replaceAll('{{', '{{ "{{" }}')
    .replaceAll(`${managedByLabel}: apisvc`, `${managedByLabel}: {{ .Release.Service }}`);
  return requireNamespace(
    object,
    registration,
    marked.replace(/^( *)(\w+:) APISVC-FIELD-(\d+)$/gm, (_, indentation: string, key: string, index: string) => {
      const { condition, value } = own[Number(index)] as Field;
      const line = value(indentation);
      const field = line.startsWith('{{-') ? `${indentation}${key}\n${indentation}  ${line}` : `${indentation}${key} ${line}`;
      return condition ? `${indentation}{{- if ${condition} }}\n${field}\n${indentation}{{- end }}` : field;
    }),
  );
}

/**
 * The serving certificate is valid for the Service in one namespace, so that another one is
 * refused, by the first APIService.
 */
function requireNamespace(object: KubeObject, registration: Registration, text: string): string {
  const { namespace } = registration.metadata;
  if (object.metadata.name !== apiServiceNames(registration)[0]) return text;
  const message = `the serving certificate is valid in namespace ${namespace} only: add --namespace ${namespace}`;
  return `{{- if ne .Release.Namespace "${namespace}" }}\n{{- fail "${message}" }}\n{{- end }}\n${text}`;
}

/** What Helm prints after an installation. */
function notesText(registration: Registration): string {
  const verify = `To verify the API:\n\n  apisvc verify ${apiServiceNames(registration).join(' ')}\n`;
  const parts = partsOfApisvc(registration);
  if (parts.length === 0) return verify;
  return `apisvc writes what the chart lacks: ${parts.map(({ words }) => words).join(', and ')}. In the project
directory, write it and verify the API:

  apisvc register --only ${parts.map(({ part }) => part).join(',')}

${verify}`;
}

/** What the chart leaves to `register --only`. */
function partsOfApisvc(registration: Registration): { part: string; words: string }[] {
  const { secret, caBundle } = responsibilitiesOf(registration);
  const name = `Secret ${registration.metadata.namespace}/${secretName(registration)}`;
  return [
    ...(secret === 'apisvc' && hasServingSecret(registration) ? [{ part: 'secrets', words: name }] : []),
    ...(caBundle === 'apisvc' ? [{ part: 'apiservices', words: 'the caBundle of the APIServices' }] : []),
  ];
}
