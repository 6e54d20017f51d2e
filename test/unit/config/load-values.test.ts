import { describe, expect, it } from 'vitest';
import { parseRegistration } from '../../../src/config/load.ts';
import { file, having, messageOf } from './registration-text.ts';

describe('values', () => {
  const port = '12:11: spec.service.port: ';
  it.each([
    ['a quoted number', having('port: 443', 'port: "443"'), `${port}must be a number, not the string "443"; remove the quotes`],
    ['a fraction', having('port: 443', 'port: 1.5'), `${port}must be a whole number, not the number 1.5`],
    ['too small', having('port: 443', 'port: 0'), `${port}must be at least 1, not the number 0`],
    ['too big', having('port: 443', 'port: 65536'), `${port}must be at most 65535, not the number 65536`],
    ['nothing', having('port: 443', 'port:'), '12:5: spec.service.port: must be a number, not nothing'],
    ['a list', having('port: 443', 'port:\n      - 443'), '12:5: spec.service.port: must be a number, not a list'],
    [
      'a number for a string',
      having('version: v1', 'version: 1.10'),
      '9:16: spec.apis[0].version: must be a string, not the number 1.10; put it in quotes: "1.10"',
    ],
    [
      'a boolean for a string',
      having('namespace: example', 'namespace: true'),
      '5:14: metadata.namespace: must be a string, not true; put it in quotes: "true"',
    ],
    [
      'a YAML 1.1 boolean',
      having('    image', '    hostNetwork: yes\n    image'),
      '14:18: spec.server.hostNetwork: must be true or false, not the string "yes"; write true',
    ],
    [
      'a choice',
      having('lifetime: 90d', 'keyType: rsa2048'),
      '16:14: spec.certificates.keyType: must be one of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096, not the string "rsa2048"; did you mean "rsa-2048"?',
    ],
    [
      'a name',
      having('    name: api', '    name: 1api'),
      '11:11: spec.service.name: invalid value "1api": a DNS-1035 label must consist of lower case alphanumeric characters or \'-\', start with an alphabetic character, and end with an alphanumeric character',
    ],
    [
      'a duration',
      having('90d', '90 days'),
      '16:15: spec.certificates.lifetime: invalid value "90 days": must be a duration such as 90s, 1h30m, 90d or 10y, at most 100y',
    ],
    [
      'a lifetime without a unit',
      having('90d', '365'),
      '16:15: spec.certificates.lifetime: invalid value 365: has no unit; write 365s, 365m, 365h or 365d',
    ],
    [
      'a quoted lifetime without a unit',
      having('90d', '"365"'),
      '16:15: spec.certificates.lifetime: invalid value "365": has no unit; write 365s, 365m, 365h or 365d',
    ],
    [
      'a lifetime of a CA without a unit',
      having('lifetime: 90d', 'issuer: {type: self-signed, caLifetime: 3650}'),
      '16:45: spec.certificates.issuer.caLifetime: invalid value 3650: has no unit; write 3650s, 3650m, 3650h or 3650d',
    ],
    [
      'a lifetime that is longer than that of the CA',
      having('lifetime: 90d', 'lifetime: 90d\n    issuer: {type: self-signed, caLifetime: 30d}'),
      '16:15: spec.certificates.lifetime: invalid value "90d": must not be longer than caLifetime, which is 30d: the CA would expire first',
    ],
    ...['apps', 'core', 'rbac.authorization.k8s.io', 'apiregistration.k8s.io', 'storagemigration.k8s.io'].map((group) => [
      `the built-in group ${group}`,
      having('example.com', group),
      `8:14: spec.apis[0].group: invalid value "${group}": this API group is built into kube-apiserver; use a group of your own, such as wardle.example.com`,
    ]),
    ['an empty list', having('    - group: example.com\n      version: v1', '    []'), '7:3: spec.apis: must not be empty'],
    [
      'an API twice',
      having('      version: v1\n', '      version: v1\n    - {group: example.com, version: v1}\n'),
      '10:7: spec.apis[1]: v1.example.com is listed twice',
    ],
    [
      'a probe that is true',
      having('    image', '    probes: {liveness: true}\n    image'),
      '14:24: spec.server.probes.liveness: must be a mapping or false, not true',
    ],
    [
      'a probe with a relative path',
      having('    image', '    probes: {liveness: {path: livez}}\n    image'),
      '14:31: spec.server.probes.liveness.path: invalid value "livez": must start with "/"',
    ],
    [
      'a probe with a numeric path',
      having('    image', '    probes: {liveness: {path: 1}}\n    image'),
      '14:31: spec.server.probes.liveness.path: must be a string, not the number 1; put it in quotes: "1"',
    ],
    [
      'a port that is neither number nor name',
      having('image: example.com/server:v1', 'existing: {selector: {a: b}, port: true}'),
      '14:40: spec.server.existing.port: must be a number or a string, not true',
    ],
    [
      'pods of a server that apisvc does not deploy',
      having('image: example.com/server:v1', 'existing: {selector: {a: b}, port: 1}\n    replicas: 2'),
      '15:5: spec.server.replicas: cannot be used with existing: apisvc deploys no pods',
    ],
    [
      'RBAC rules of an existing server',
      having('image: example.com/server:v1', 'existing: {selector: {a: b}, port: 1}\n    rbac: {rules: [{verbs: [get]}]}'),
      '15:5: spec.server.rbac: cannot be used with existing: the server has its own RBAC rules',
    ],
    [
      'clients of an existing server',
      having(
        'image: example.com/server:v1',
        'existing: {selector: {a: b}, port: 1}\n    rbac: {grant: {to: [{kind: User, name: jane}], rules: [{verbs: [get]}]}}',
      ),
      '15:5: spec.server.rbac: cannot be used with existing: the server has its own RBAC rules',
    ],
    [
      'a client ServiceAccount without a namespace',
      having('    image', '    rbac: {grant: {to: [{kind: ServiceAccount, name: a}], rules: [{verbs: [get]}]}}\n    image'),
      '14:25: spec.server.rbac.grant.to[0].namespace: is required for a ServiceAccount',
    ],
    [
      'a client user with a namespace',
      having('    image', '    rbac: {grant: {to: [{kind: User, name: a, namespace: b}], rules: [{verbs: [get]}]}}\n    image'),
      '14:58: spec.server.rbac.grant.to[0].namespace: invalid value "b": has no effect for a User; remove it',
    ],
    ...['{name: other}', '{create: false}', '{annotations: {a: b}}'].map((account) => [
      `the ServiceAccount ${account} of an existing server`,
      having('image: example.com/server:v1', `existing: {selector: {a: b}, port: 1}\n    serviceAccount: ${account}`),
      '15:5: spec.server.serviceAccount: cannot be used with existing: the server has its own ServiceAccount',
    ]),
    [
      'a port other than that of a flag',
      having('    image', '    port: 8443\n    args: [--v=2, --secure-port=4443]\n    image'),
      '14:11: spec.server.port: invalid value 8443: contradicts --secure-port=4443 in spec.server.args[1]; use the same port in both',
    ],
    [
      'the default port with the flag of another, in two words',
      having('    image', '    args: [--v, "2", --secure_port, "4443"]\n    image'),
      '14:22: spec.server.args[2]: invalid value "--secure_port": contradicts the default of spec.server.port, which is 8443; set spec.server.port to the same port',
    ],
    [
      'a flag of another port in the command',
      having('    image', '    port: 8443\n    command: [/server, --secure-port=0]\n    image'),
      '14:11: spec.server.port: invalid value 8443: contradicts --secure-port=0 in spec.server.command[1]; use the same port in both',
    ],
    [
      'the port of an existing server with the flag of another',
      having(
        'image: example.com/server:v1',
        'existing: {port: 1, selector: {a: b}, deployment: {name: d, container: c, args: {replace: [--secure-port=2]}}}',
      ),
      '14:22: spec.server.existing.port: invalid value 1: contradicts --secure-port=2 in spec.server.existing.deployment.args.replace[0]; use the same port in both',
    ],
    ...['--tls-cert-file=/a.crt', '--tls-private-key-file=/a.key'].map((flag) => [
      `a second ${flag}`,
      having('    image', `    args: [${flag}]\n    image`),
      `14:12: spec.server.args[0]: invalid value "${flag}": apisvc sets ${flag.split('=')[0]} itself; remove it, or set spec.certificates.flags to none`,
    ]),
    [
      'a second certificate flag of an existing server',
      having(
        'image: example.com/server:v1',
        'existing: {port: 1, selector: {a: b}, deployment: {name: d, container: c, args: {add: [--tls-cert-file, /a]}}}',
      ),
      '14:92: spec.server.existing.deployment.args.add[0]: invalid value "--tls-cert-file": apisvc sets --tls-cert-file itself; remove it, or set spec.certificates.flags to none',
    ],
    [
      'a ConfigMap twice',
      having(
        '    image',
        '    configMaps:\n      - {name: a, data: {}}\n      - {name: b, data: {}}\n      - {name: a, data: {x: y}}\n    image',
      ),
      '17:16: spec.server.configMaps[2].name: invalid value "a": another ConfigMap has the same name',
    ],
    [
      'a full list of arguments of an existing Deployment, the form of earlier versions',
      having('image: example.com/server:v1', 'existing: {selector: {a: b}, port: 1, deployment: {name: d, container: c, args: [--a]}}'),
      '14:79: spec.server.existing.deployment.args: must be a mapping, not a list; list the changes only: args: {add: [...], replace: [...]}',
    ],
    [
      'a flag to replace without a value',
      having(
        'image: example.com/server:v1',
        'existing: {selector: {a: b}, port: 1, deployment: {name: d, container: c, args: {replace: [--a]}}}',
      ),
      '14:96: spec.server.existing.deployment.args.replace[0]: invalid value "--a": must be --flag=value',
    ],
    [
      'a NetworkPolicy without rules',
      having('    image', '    networkPolicy: {}\n    image'),
      '14:5: spec.server.networkPolicy: needs ingress, egress or both',
    ],
    [
      'an invalid label',
      having('  namespace', '  labels: {team: "a b"}\n  namespace'),
      `5:18: metadata.labels.team: invalid value "a b": a label value must be empty or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, at most 63 characters`,
    ],
    [
      'a label with a strange key',
      having('  namespace', '  labels: {"a/b.c": 1}\n  namespace'),
      '5:21: metadata.labels["a/b.c"]: must be a string, not the number 1; put it in quotes: "1"',
    ],
  ])('%s', (_, text, message) => {
    expect(messageOf(text)).toBe(`${file}:${message}`);
  });

  it.each([
    ['a flag of the same port', having('    image', '    args: [--secure-port=4443]\n    port: 4443\n    image')],
    ['a flag of the default port', having('    image', '    args: [--secure-port, "8443"]\n    image')],
    [
      'the certificate flags, where apisvc sets none',
      having('    image', '    args: [--tls-cert-file=/a]\n    image').replace('lifetime: 90d', 'flags: none'),
    ],
    [
      'a named port of an existing server with --secure-port',
      having(
        'image: example.com/server:v1',
        'existing: {port: https, selector: {a: b}, deployment: {name: d, container: c, args: {add: [--secure-port=2]}}}',
      ),
    ],
    ...['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io', 'my.apps'].map((group) => [
      `the group ${group}, which extension API servers serve`,
      having('example.com', group),
    ]),
  ])('accepts %s', (_, text) => {
    expect(() => parseRegistration(text, file)).not.toThrow();
  });

  it('points at a value after its anchor', () => {
    const text = having('name: api', 'name: &n API');
    expect(messageOf(text)).toContain(`${file}:11:14: spec.service.name: invalid value "API"`);
  });

  it('never shows a private key, and shortens long values', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n';
    expect(messageOf(having('    port: 443', `    port: ${JSON.stringify(key)}`))).toBe(
      `${file}:${port}must be a number, not the string [private key]`,
    );
    expect(messageOf(having('    port: 443', `    port: ${'x'.repeat(500)}`)).length).toBeLessThan(140);
  });
});
