import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMap, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { customise } from '../../../src/config/customise.ts';
import { parseRegistration } from '../../../src/config/load.ts';
import { presetText } from '../../../src/config/presets.ts';
import { Exit } from '../../../src/errors.ts';
import { failure, file, having, messageOf, valid } from './registration-text.ts';

describe('a valid file', () => {
  it('gets every default', () => {
    const { metadata, spec } = parseRegistration(valid, file);
    expect(metadata.labels).toEqual({});
    expect(spec.apis).toEqual([{ group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15 }]);
    expect(spec.certificates).toMatchObject({ keyType: 'ecdsa-p256', lifetime: '90d' });
    expect(spec.certificates.issuer).toEqual({ type: 'self-signed', caLifetime: '3650d', nameConstraints: true, caKey: 'file' });
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
      `${file}:1:1: the YAML aliases in the file expand to too much data`,
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
    ['misplaced', having('  server:', '  replicas: 2\n  server:'), '13:3: spec: unknown key "replicas"; it is allowed only in spec.server'],
    [
      'like nothing',
      having('      version: v1', '      version: v1\n      insecureSkipTLSVerify: true'),
      '10:7: spec.apis[0]: unknown key "insecureSkipTLSVerify"; the allowed keys are group, version, groupPriorityMinimum, versionPriority',
    ],
    ['hostile', having('image:', '"__proto__": 1\n    image:'), /14:5: spec\.server: unknown key "__proto__"; did you mean "port"\?$/],
    [
      'unprintable',
      having('image:', '"\\e[31m\\u202e": 1\n    image:'),
      /14:5: spec\.server: unknown key "\\u001b\[31m\\u202e"; the allowed keys are /,
    ],
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
    expect(message.split('\n').at(-1)).toBe(`${file}: and 30 more problems`);
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
