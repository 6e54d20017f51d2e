import { stringify } from 'yaml';
import valuesTemplate from '../../../templates/helm/values.yaml';
import { apiServiceNames, secretName } from '../../config/registration.ts';
import { hasServingSecret, responsibilitiesOf } from '../../config/responsibilities.ts';
import type { Registration } from '../../config/schema.ts';
import { editableYaml, yamlText } from '../../config/yaml.ts';
import { managedByLabel } from '../labels.ts';
import { type Edits, fillTemplate } from '../template.ts';
import type { KubeObject, Manifest, ManifestFile } from '../types.ts';

/** A field of a manifest that the values of the chart decide. */
interface Field {
  readonly kind: string;
  /** With dots; list items by index. */
  readonly path: string;
  /** Whether the manifests of a registration have it. Default: always. */
  readonly isIn?: (registration: Registration) => boolean;
  /** The condition in the template. Without it, the field is always there. */
  readonly condition?: string;
  /** What follows the key and a space, or a line of its own below the key. */
  readonly value: string | { readonly below: (indentation: number) => string };
}

const pod = 'spec.template.spec';

/** Whether apisvc writes the caBundle, so that the chart may leave it out. */
const writesBundle = (registration: Registration): boolean => responsibilitiesOf(registration).caBundle === 'apisvc';

const fields: readonly Field[] = [
  {
    kind: 'Deployment',
    path: 'spec.replicas',
    condition: 'not (kindIs "invalid" .Values.replicas)',
    value: '{{ int .Values.replicas }}',
  },
  {
    kind: 'Deployment',
    path: `${pod}.containers.0.image`,
    value: '"{{ with .Values.image }}{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}{{ end }}"',
  },
  {
    kind: 'Deployment',
    path: `${pod}.containers.0.resources`,
    condition: '.Values.resources',
    value: { below: (indentation) => `{{- toYaml .Values.resources | nindent ${indentation} }}` },
  },
  {
    kind: 'Deployment',
    path: `${pod}.volumes.0.secret.secretName`,
    isIn: hasServingSecret,
    value: '{{ .Values.secretName | quote }}',
  },
  {
    kind: 'APIService',
    path: 'spec.caBundle',
    isIn: writesBundle,
    condition: '.Values.caBundle',
    value: '{{ .Values.caBundle | b64enc | quote }}',
  },
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
  const values = valuesOf(registration, deployment);
  const file = (path: string, text: string): ManifestFile => ({ path, text, private: false });
  return [
    file('Chart.yaml', chartText(registration)),
    file('values.yaml', valuesText(values)),
    file('values.schema.json', schemaText(Object.keys(values))),
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

/** The values, as far as the manifests have their fields. */
function valuesOf(registration: Registration, deployment: KubeObject | undefined): Readonly<Record<string, unknown>> {
  const { replicas = null, template } = (deployment?.spec ?? {}) as { replicas?: number; template?: PodTemplate };
  const [server] = template?.spec.containers ?? [];
  return {
    ...(server ? { image: imageOf(server.image), replicas, resources: server.resources ?? {} } : {}),
    ...(server && hasServingSecret(registration) ? { secretName: secretName(registration) } : {}),
    ...(writesBundle(registration) ? { caBundle: '' } : {}),
  };
}

/** The template of the values, with its comments. */
function valuesText(values: Readonly<Record<string, unknown>>): string {
  const document = editableYaml(valuesTemplate);
  for (const name of Object.keys(document.toJS() as object)) {
    if (name in values) document.set(name, document.createNode(values[name]));
    else document.delete(name);
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

/** The text of a manifest as a template. What looks like a template in it stays text. */
function templateText({ object, text, fileName }: Manifest, registration: Registration): string {
  const own = fields.filter(({ kind, isIn }) => kind === object.kind && (isIn?.(registration) ?? true));
  const edits: Edits = Object.fromEntries(own.map(({ path }, index) => [path, marker(index)]));
  const marked = fillTemplate(text, fileName, edits)
    .text.replaceAll('{{', '{{ "{{" }}')
    .replaceAll(`${managedByLabel}: apisvc`, `${managedByLabel}: {{ .Release.Service }}`);
  return requireNamespace(
    object,
    registration,
    marked.replace(/^( *)(\w+:) APISVC-FIELD-(\d+)$/gm, (_, indentation: string, key: string, index: string) => {
      const { condition, value } = own[Number(index)] as Field;
      const below = `${indentation}  `;
      const field = `${indentation}${key}${typeof value === 'string' ? ` ${value}` : `\n${below}${value.below(below.length)}`}`;
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
  const message = `the serving certificate is valid only in namespace ${namespace}: add --namespace ${namespace}`;
  return `{{- if ne .Release.Namespace "${namespace}" }}\n{{- fail "${message}" }}\n{{- end }}\n${text}`;
}

/** What Helm prints after an installation. */
function notesText(registration: Registration): string {
  const verify = `To verify the API:\n\n  apisvc verify ${apiServiceNames(registration).join(' ')}\n`;
  const parts = partsOfApisvc(registration);
  if (parts.length === 0) return verify;
  return `The chart does not contain ${parts.map(({ words }) => words).join(' or ')}. To write what is missing and
verify the API, run this command in the project directory:

  apisvc register --only ${parts.map(({ part }) => part).join(',')}

${verify}`;
}

/** What the chart leaves to `register --only`. */
function partsOfApisvc(registration: Registration): { part: string; words: string }[] {
  const { secret } = responsibilitiesOf(registration);
  const name = `Secret ${registration.metadata.namespace}/${secretName(registration)}`;
  return [
    ...(secret === 'apisvc' && hasServingSecret(registration) ? [{ part: 'secrets', words: name }] : []),
    ...(writesBundle(registration) ? [{ part: 'apiservices', words: 'the caBundle of the APIServices' }] : []),
  ];
}
