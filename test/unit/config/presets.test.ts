import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { customise, type Overrides } from '../../../src/config/customise.ts';
import { parseRegistration } from '../../../src/config/load.ts';
import { ownServer, presetNames, presetText } from '../../../src/config/presets.ts';
import { deployingPresets } from '../manifests/fixture.ts';

const apis = [{ group: 'a.example.com', version: 'v1' }];
const filledIn = { image: 'example.com/server:v1', apis };

const comments = (text: string): string[] => text.split('\n').filter((line) => /^\s*#/.test(line));

describe.each(presetNames)('%s', (name) => {
  it('starts with the reference to its schema', () => {
    expect(presetText(name).split('\n')[0]).toBe('# yaml-language-server: $schema=.apisvc/registration.schema.json');
  });

  it('is left as it is when nothing is overridden', () => {
    expect(customise(presetText(name), {})).toBe(presetText(name));
  });

  it('keeps every comment, and has every override', () => {
    const awkward = fc.constantFrom('y', 'no', 'on', 'null', 'e1', 'true', 'off', 'n', 'yes');
    const word = fc.oneof(awkward, fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/));
    const group = fc.oneof(fc.constantFrom('1e3.0', '0x1f', '010', '1.5', '2001-01-01'), word);
    const api = fc.record({ group, version: word });
    const overrides = fc.record({
      name: word,
      namespace: word,
      service: word,
      apis: fc.uniqueArray(api, { minLength: 1, maxLength: 3, selector: (one) => `${one.version}.${one.group}` }),
      image: deployingPresets.includes(name)
        ? fc.constantFrom(`registry.example.com:5000/a/b@sha256:${'0'.repeat(64)}`, 'x', '1.0', 'on')
        : fc.constant(undefined),
      dnsNames: fc.array(word, { maxLength: 2 }),
      nameConstraints: fc.boolean(),
    });
    fc.assert(
      fc.property(overrides, ({ image, ...names }) => {
        const told = { ...names, ...(image === undefined ? {} : { image }) };
        const text = customise(presetText(name), told);
        expect(comments(text)).toEqual(comments(presetText(name)));
        const { metadata, spec } = parseRegistration(text, 'apisvc.yaml');
        expect(metadata).toMatchObject({ name: told.name, namespace: told.namespace });
        expect(spec.apis).toMatchObject(told.apis);
        expect(spec.service.name).toBe(told.service);
        expect(spec.server.image).toBe(image);
        expect(spec.certificates).toMatchObject({ dnsNames: told.dnsNames, issuer: { nameConstraints: told.nameConstraints } });
        expect(parse(text, { version: '1.1' })).toEqual(parse(text));
      }),
      { numRuns: 40 },
    );
  });
});

const certificatesWith = (overrides: Overrides) =>
  parseRegistration(customise(presetText('custom'), { ...filledIn, ...overrides }), 'apisvc.yaml').spec.certificates;

describe('the presets', () => {
  it.each(deployingPresets.filter((name) => !ownServer(name)))('%s needs nothing more', (name) => {
    expect(parseRegistration(presetText(name), 'apisvc.yaml').spec.server.image).toBeDefined();
  });

  it('custom names what is still missing', () => {
    expect(() => parseRegistration(presetText('custom'), 'apisvc.yaml')).toThrow(
      /spec\.apis\[0\]\.group: .*\n.*spec\.apis\[0\]\.version: .*\n.*spec\.server\.image: /,
    );
  });

  it('dns-webhook uses the group of the API everywhere', () => {
    const { spec } = parseRegistration(customise(presetText('dns-webhook'), filledIn), 'apisvc.yaml');
    expect(spec.apis).toMatchObject([{ group: 'a.example.com', version: 'v1' }]);
    expect(spec.server.env).toEqual([{ name: 'GROUP_NAME', value: 'a.example.com' }]);
    expect(spec.server.rbac.grant).toEqual({
      to: [{ kind: 'ServiceAccount', name: 'cert-manager', namespace: 'cert-manager' }],
      rules: [{ apiGroups: ['a.example.com'], resources: ['*'], verbs: ['create'] }],
    });
  });

  it('gives further APIs the priorities of the first', () => {
    const text = customise(presetText('metrics-server'), { ...filledIn, apis: [...apis, { group: 'b.example.com', version: 'v2' }] });
    expect(parseRegistration(text, 'apisvc.yaml').spec.apis).toEqual([
      { group: 'a.example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 100 },
      { group: 'b.example.com', version: 'v2', groupPriorityMinimum: 100, versionPriority: 100 },
    ]);
  });

  it('sets each of the certificate options', () => {
    const told = {
      keyType: 'rsa-3072',
      lifetime: '30d',
      clusterDomain: 'k8s.test',
      ipAddresses: ['192.0.2.1'],
    } as const;
    const ofCa = { caLifetime: '5y', nameConstraints: false };
    expect(certificatesWith({ ...told, ...ofCa })).toMatchObject({ ...told, issuer: { type: 'self-signed', ...ofCa } });
  });

  it('drops the settings of a self-signed CA for a CA that exists', () => {
    expect(certificatesWith({ issuer: 'ca' }).issuer).toEqual({ type: 'ca' });
  });
});

describe('metrics-server that runs already', () => {
  const { spec } = parseRegistration(presetText('metrics-server-existing'), 'apisvc.yaml');

  it('keeps its arguments, and has the names and the priorities of the preset metrics-server', () => {
    const preset = parseRegistration(presetText('metrics-server'), 'apisvc.yaml').spec;
    expect(spec.server.existing?.deployment?.args).toEqual({ add: [], replace: [] });
    expect({ apis: spec.apis, service: spec.service }).toEqual({ apis: preset.apis, service: preset.service });
  });
});
