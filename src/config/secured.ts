import template from '../../templates/secured.yaml';
import type { Api } from './schema.ts';
import { editableYaml, yamlText } from './yaml.ts';

/** A running server, as `secure` finds it. */
export interface SecuredServer {
  readonly name: string;
  readonly namespace: string;
  readonly apis: readonly Api[];
  readonly service: { readonly name: string; readonly port: number; readonly portName: string; readonly appProtocol: string };
  readonly selector: Readonly<Record<string, string>>;
  /** Number or name of the port in the pods. */
  readonly port: number | string;
  /** Absent where the server already uses a Secret with a certificate of its own. */
  readonly deployment?: { readonly name: string; readonly container: string };
  /** Undefined for the default. */
  readonly secretName: string | undefined;
  /** Undefined for the default. */
  readonly mountPath: string | undefined;
}

/** The apisvc.yaml of a server that runs already. */
export function securedConfiguration(server: SecuredServer): string {
  const { name, namespace, apis, service, selector, port, deployment, secretName, mountPath } = server;
  const document = editableYaml(template);
  const values: readonly (readonly [string, unknown])[] = [
    ['metadata.name', name],
    ['metadata.namespace', namespace],
    ['spec.apis', apis],
    ['spec.service.name', service.name],
    ['spec.service.port', service.port],
    ['spec.service.portName', service.portName || undefined],
    ['spec.service.appProtocol', service.appProtocol || undefined],
    ['spec.server.existing.selector', selector],
    ['spec.server.existing.port', port],
    ['spec.server.existing.deployment', deployment],
    ['spec.certificates.secretName', secretName],
    ['spec.certificates.mountPath', mountPath],
  ];
  for (const [path, value] of values) {
    const keys = path.split('.');
    if (value !== undefined) document.setIn(keys, typeof value === 'object' ? document.createNode(value) : value);
    else if (path === 'spec.server.existing.deployment') document.deleteIn(keys);
  }
  return yamlText(document);
}
