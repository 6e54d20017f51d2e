import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMap, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { ConfigurationError, parseRegistration } from '../../../src/config/load.ts';
import { customise, presetText } from '../../../src/config/presets.ts';
import { Exit } from '../../../src/errors.ts';

const file = 'apisvc.yaml';

const valid = `apiVersion: apisvc.dev/v1alpha1
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
    port: 443
  server:
    image: example.com/server:v1
  certificates:
    lifetime: 90d
`;

const failure = (text: string): ConfigurationError => {
  try {
    parseRegistration(text, file);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('the configuration is valid');
};

const messageOf = (text: string): string => failure(text).message;

/** `valid` with one piece replaced by another. */
const having = (piece: string, other: string): string => {
  expect(valid).toContain(piece);
  return valid.replace(piece, other);
};

describe('a valid file', () => {
  it('gets every default', () => {
    const { metadata, spec } = parseRegistration(valid, file);
    expect(metadata.labels).toEqual({});
    expect(spec.apis).toEqual([{ group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 }]);
    expect(spec.certificates).toMatchObject({ keyType: 'ecdsa-p256', lifetime: '90d' });
    expect(spec.certificates.issuer).toEqual({ type: 'self-signed', caLifetime: '3650d', nameConstraints: true });
    expect(spec.server).toMatchObject({ serviceAccount: { create: true }, rbac: { rules: [] } });
  });

  it('may use anchors, CRLF and a byte order mark', () => {
    const text = having('    image:', '    resources: &r {limits: {cpu: 1}}\n    sidecars: [{name: a, resources: *r}]\n    image:');
    const { server } = parseRegistration(`\ufeff${text.replaceAll('\n', '\r\n')}`, file).spec;
    expect(server.sidecars).toEqual([{ name: 'a', resources: { limits: { cpu: 1 } } }]);
  });

  it('reads the booleans of YAML 1.1 as strings', () => {
    expect(parseRegistration(having('namespace: example', 'namespace: on'), file).metadata.namespace).toBe('on');
  });
});

describe('a file that is not a registration', () => {
  it.each([
    ['empty', '', '1:1: the file is empty; it must contain a Registration'],
    ['only comments', '# nothing\n\n', '1:1: the file is empty; it must contain a Registration'],
    ['a null', 'null\n', '1:1: the file is empty; it must contain a Registration'],
    ['a list', '- a\n', '1:1: the file must be a mapping with the keys apiVersion, kind, metadata and spec'],
    ['a text', 'hello\n', '1:1: the file must be a mapping with the keys apiVersion, kind, metadata and spec'],
    ['huge', `# ${'x'.repeat(2 ** 20)}\n`, '1:1: the file is larger than 1 MiB'],
    ['nested without end', '['.repeat(20_000), '1:1: the file is nested too deeply'],
  ])('%s', (_, text, message) => {
    expect(messageOf(text).replace(/:\d+: the file is nested/, ':1: the file is nested')).toBe(`${file}:${message}`);
  });

  it.each([
    ['syntax', having('  name: example', '  name: "example'), /^apisvc\.yaml:\d+:\d+: not valid YAML: Missing closing "quote$/],
    ['a tab', having('  name: example', '\tname: example'), /^apisvc\.yaml:4:1: not valid YAML: Tabs are not allowed as indentation$/],
    [
      'a syntax error whose message would quote the file',
      having('port: 443', 'port: |MIGHAgEAMBMG'),
      /^apisvc\.yaml:\d+:\d+: not valid YAML: Block scalar header includes extra characters$/,
    ],
    [
      'an escape character',
      having('name: api', 'name: "\\\u001b"'),
      /^apisvc\.yaml:11:\d+: not valid YAML: Invalid escape sequence \\\\x1b$/,
    ],
    [
      'two documents',
      `${valid}---\n${valid}`,
      /^apisvc\.yaml:17:1: a second YAML document starts here; the file must contain one Registration$/,
    ],
    ['an unknown tag', having('image: e', 'image: !env e'), /^apisvc\.yaml:14:17: spec\.server\.image: the tag "!env" is not supported$/],
    [
      'a dangling alias',
      having('image: example.com/server:v1', 'image: *nope'),
      /^apisvc\.yaml:14:12: spec\.server\.image: anchor &nope not found before this alias$/,
    ],
    [
      'an alias of itself',
      having('image: e', 'affinity: &a {b: *a}\n    image: e'),
      /^apisvc\.yaml:14:22: spec\.server\.affinity\.b: the alias \*a contains itself$/,
    ],
    [
      'many aliases',
      having('image: e', `args: [&a x${', *a'.repeat(101)}]\n    image: e`),
      /^apisvc\.yaml:14:\d+: spec\.server\.args\[101\]: more than 100 aliases$/,
    ],
  ])('%s', (_, text, message) => {
    expect(messageOf(text)).toMatch(message);
  });

  it('refuses aliases of aliases that expand without bound', () => {
    const levels = [...'abcdefgh'].map(
      (name, index, all) =>
        `${name}: &${name} [${
          index === 0
            ? 'x'
            : Array(9)
                .fill(`*${all[index - 1]}`)
                .join(', ')
        }]`,
    );
    expect(messageOf(having('image: e', `affinity: {${levels.join(', ')}}\n    image: e`))).toBe(
      `${file}:1:1: the aliases of the file expand to too much data`,
    );
  });

  it('reports only the kind of a file of another kind', () => {
    expect(messageOf('apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: []}\n')).toBe(
      `${file}:1:13: apiVersion: must be apisvc.dev/v1alpha1, not the string "v1"\n${file}:2:7: kind: must be Registration, not the string "Service"`,
    );
  });
});

describe('keys', () => {
  it.each([
    ['misspelt', having('image:', 'imgae:'), '14:5: spec.server: unknown key "imgae"; did you mean "image"?'],
    ['wrong case', having('  namespace:', '  nameSpace:'), '5:3: metadata: unknown key "nameSpace"; did you mean "namespace"?'],
    ['misplaced', having('  server:', '  replicas: 2\n  server:'), '13:3: spec: unknown key "replicas"; it belongs under spec.server'],
    [
      'like nothing',
      having('      version: v1', '      version: v1\n      insecureSkipTLSVerify: true'),
      '10:7: spec.apis[0]: unknown key "insecureSkipTLSVerify"; the keys here are group, version, groupPriorityMinimum, versionPriority',
    ],
    ['hostile', having('image:', '"__proto__": 1\n    image:'), /14:5: spec\.server: unknown key "__proto__"; did you mean "port"\?$/],
    ['unprintable', having('image:', '"\\e[31m\\u202e": 1\n    image:'), /14:5: spec\.server: unknown key "\\u001b\[31m\\u202e"; the keys/],
  ])('unknown: %s', (_, text, message) => {
    if (typeof message === 'string') expect(messageOf(text).split('\n')[0]).toBe(`${file}:${message}`);
    else expect(messageOf(text)).toMatch(message);
  });

  it('reports each duplicate', () => {
    const text = having('kind: R', 'kind: A\nkind: R').replace('    port: 443', '    port: 443\n    port: 444');
    expect(messageOf(text)).toBe(`${file}:3:1: duplicate key "kind"\n${file}:14:5: spec.service: duplicate key "port"`);
  });

  it('reports a missing key at the mapping that needs it', () => {
    expect(messageOf(having('    - group: example.com\n      version', '    - version'))).toBe(
      `${file}:8:7: spec.apis[0]: missing key "group"`,
    );
    expect(messageOf(having('kind: Registration\n', ''))).toBe(`${file}:1:1: missing key "kind"`);
    expect(messageOf(having('    image: example.com/server:v1\n', '    replicas: 1\n'))).toBe(
      `${file}:13:3: spec.server: needs exactly one of image, external and existing; none is set`,
    );
  });
});

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
    ...['{name: other}', '{create: false}', '{annotations: {a: b}}'].map((account) => [
      `the ServiceAccount ${account} of an existing server`,
      having('image: example.com/server:v1', `existing: {selector: {a: b}, port: 1}\n    serviceAccount: ${account}`),
      '15:5: spec.server.serviceAccount: cannot be used with existing: the server has its own ServiceAccount',
    ]),
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

describe('the issuer', () => {
  it.each([
    [
      'as a word, the form of earlier versions',
      'issuer: self-signed',
      '16:13: spec.certificates.issuer: must be a mapping, not the string "self-signed"; write issuer: {type: self-signed}',
    ],
    ['without a type', 'issuer: {caLifetime: 1y}', '16:5: spec.certificates.issuer: missing key "type"'],
    [
      'of an unknown type',
      'issuer: {type: selfsigned}',
      '16:20: spec.certificates.issuer.type: must be one of self-signed, ca, not the string "selfsigned"; did you mean "self-signed"?',
    ],
    [
      'with a setting of another type',
      'issuer: {type: ca, caLifetime: 1y}',
      '16:24: spec.certificates.issuer: unknown key "caLifetime"; it belongs to type self-signed',
    ],
    [
      'with a setting beside it',
      'caLifetime: 1y',
      '16:5: spec.certificates: unknown key "caLifetime"; it belongs under spec.certificates.issuer',
    ],
  ])('%s', (_, text, message) => {
    expect(messageOf(having('lifetime: 90d', text))).toBe(`${file}:${message}`);
  });
});

describe('several problems', () => {
  const text = valid.replace('port: 443', 'port: "443"').replace('image:', 'imgae:').replace('name: example', 'name: Example');

  it('are reported together, a line each, in the order of the file', () => {
    const { message, problems, exitCode } = failure(text);
    expect(problems.map(({ line, column, path }) => `${line}:${column} ${path}`)).toEqual([
      '4:9 metadata.name',
      '12:11 spec.service.port',
      '14:5 spec.server',
    ]);
    expect(message.split('\n')).toHaveLength(3);
    expect(exitCode).toBe(Exit.usage);
  });

  it('are cut off when there are more than 20', () => {
    const { message, problems } = failure(
      having('    image', `${Array.from({ length: 50 }, (_, i) => `    "1${i}": 1\n`).join('')}    image`),
    );
    expect(problems).toHaveLength(50);
    expect(message.split('\n').at(-1)).toBe(`${file}: and 30 more`);
  });
});

describe('an unknown key anywhere', () => {
  const text = customise(presetText('metrics-server'), {});
  const strict = ['', 'metadata', 'spec', 'spec.service', 'spec.server', 'spec.server.rbac', 'spec.server.probes', 'spec.certificates'];

  it('is reported at its line and column', () => {
    fc.assert(
      fc.property(fc.constantFrom(...strict), fc.stringMatching(/^[a-zA-Z]{1,12}Zz$/), fc.nat(), (path, key, choice) => {
        const document = parseDocument(text);
        const map = (path === '' ? document.contents : document.getIn(path.split('.'))) as YAMLMap;
        expect(isMap(map)).toBe(true);
        const keys = map.items.map((pair) => pair.key as Scalar.Parsed);
        const before = keys[choice % keys.length]?.range[0] ?? 0;
        const column = before - (text.lastIndexOf('\n', before - 1) + 1);
        const broken = `${text.slice(0, before)}${key}: 1\n${' '.repeat(column)}${text.slice(before)}`;
        expect(failure(broken).problems).toMatchObject([{ line: text.slice(0, before).split('\n').length, column: column + 1, path }]);
      }),
      { numRuns: 60 },
    );
  });
});
