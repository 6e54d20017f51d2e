import foundTemplate from '../../templates/from-cluster.yaml';
import securedTemplate from '../../templates/secured.yaml';
import type { Api, Registration } from './schema.ts';
import { editableYaml, yamlText } from './yaml.ts';

/** What the cluster tells of a registration, whoever made it. */
export interface RunningRegistration {
  readonly name: string;
  readonly namespace: string;
  readonly apis: readonly Api[];
  readonly service: { readonly name: string; readonly port: number; readonly portName: string; readonly appProtocol: string };
}

/** Pods that a Service selects. */
interface RunningPods {
  readonly selector: Readonly<Record<string, string>>;
  /** Number or name of the port in the pods. */
  readonly port: number | string;
}

/** A running server, as `secure` finds it. */
export interface SecuredServer extends RunningRegistration, RunningPods {
  /** Absent where the server already uses a Secret with a certificate of its own. */
  readonly deployment?: { readonly name: string; readonly container: string };
  /** Undefined for the default. */
  readonly secretName: string | undefined;
  /** Undefined for the default. */
  readonly mountPath: string | undefined;
}

/** A running registration, as `init --from-cluster` finds it. */
export interface FoundRegistration extends RunningRegistration {
  readonly server:
    | { readonly existing: RunningPods }
    | { readonly external: { readonly addresses: readonly string[]; readonly port: number } };
  /** The fields of `spec.certificates`. Undefined for the default. */
  readonly certificates: { readonly issuer: object; readonly [field: string]: unknown };
}

/** A value by the path of its field. Undefined leaves the field as the template has it. */
type Values = readonly (readonly [path: string, value: unknown])[];

const sharedValues = ({ name, namespace, apis, service }: RunningRegistration): Values => [
  ['metadata.name', name],
  ['metadata.namespace', namespace],
  ['spec.apis', apis],
  ['spec.service.name', service.name],
  ['spec.service.port', service.port],
  ['spec.service.portName', service.portName || undefined],
  ['spec.service.appProtocol', service.appProtocol || undefined],
];

/** Fills in a text, and keeps its comments. */
function fill(text: string, values: Values, without: readonly string[] = []): string {
  const document = editableYaml(text);
  for (const path of without) document.deleteIn(path.split('.'));
  for (const [path, value] of values)
    if (value !== undefined) document.setIn(path.split('.'), typeof value === 'object' ? document.createNode(value) : value);
  return yamlText(document);
}

/** The apisvc.yaml of a server that runs already, and gets a certificate of apisvc. */
export function securedConfiguration(server: SecuredServer): string {
  const { selector, port, deployment, secretName, mountPath } = server;
  const values: Values = [
    ...sharedValues(server),
    ['spec.server.existing.selector', selector],
    ['spec.server.existing.port', port],
    ['spec.server.existing.deployment', deployment],
    ['spec.certificates.secretName', secretName],
    ['spec.certificates.mountPath', mountPath],
  ];
  return fill(securedTemplate, values, deployment ? [] : ['spec.server.existing.deployment']);
}

/** The apisvc.yaml of a registration that stays as it is. */
export function foundConfiguration(found: FoundRegistration): string {
  const { server, certificates } = found;
  const [[kind, settings] = ['', {}]] = Object.entries(server);
  const values: Values = [
    ...sharedValues(found),
    ...Object.entries(settings).map(([key, value]) => [`spec.server.${kind}.${key}`, value] as const),
    ...Object.entries(certificates).map(([key, value]) => [`spec.certificates.${key}`, value] as const),
  ];
  return fill(
    foundTemplate,
    values,
    ['existing', 'external'].filter((each) => each !== kind).map((each) => `spec.server.${each}`),
  );
}

/**
 * Gives an apisvc.yaml with the issuer type `insecure` another issuer, and what the server needs to
 * get its certificate. Everything else stays as it is.
 * @param secretName undefined for the default
 * @param verified the same server with that issuer
 */
export function verifiedConfiguration(text: string, issuer: object, secretName: string | undefined, verified: Registration): string {
  const { mountPath } = verified.spec.certificates;
  const { deployment } = verified.spec.server.existing ?? {};
  return fill(text, [
    ['spec.certificates.issuer', issuer],
    ['spec.certificates.secretName', secretName],
    ['spec.certificates.mountPath', deployment && mountPath],
    ['spec.server.existing.deployment', deployment && { name: deployment.name, container: deployment.container }],
  ]);
}
