import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { customise } from '../../../src/config/customise.ts';
import { parseRegistration } from '../../../src/config/load.ts';
import { presetNames, presetText } from '../../../src/config/presets.ts';
import { manifestsYaml } from '../../../src/manifests/outputs/yaml.ts';
import { renderManifests } from '../../../src/manifests/render.ts';
import {
  caPem,
  deployingPresets,
  filledIn,
  issued,
  keyText,
  kindsOf,
  leafPem,
  objectOf,
  presetRegistration,
  registrationOf,
} from './fixture.ts';

const include = { secrets: 'include' } as const;

describe('the presets', () => {
  it.each(presetNames)('renders %s', async (name) => {
    const text = manifestsYaml(renderManifests(presetRegistration(name), issued, include));
    await expect(text).toMatchFileSnapshot(`snapshots/${name}.yaml`);
  });

  it.each(presetNames)('never skips the verification of %s', (name) => {
    const text = manifestsYaml(renderManifests(presetRegistration(name), issued, include));
    expect(text).toContain('caBundle: ');
    expect(text).not.toMatch(/^ *insecureSkipTLSVerify:/m);
  });
});

describe('every rendered object', () => {
  const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/);
  const registrations = fc
    .record({ preset: fc.constantFrom(...deployingPresets), name: label, namespace: label, service: label, group: label, version: label })
    .map(({ preset, group, version, ...names }) => {
      const apis = [{ group: `${group}.example.com`, version }];
      return parseRegistration(customise(presetText(preset), { ...filledIn, ...names, apis }), 'apisvc.yaml');
    });

  it('is complete, carries the labels, and reads the same in YAML 1.1 and 1.2', () => {
    fc.assert(
      fc.property(registrations, (registration) => {
        for (const { object, text } of renderManifests(registration, issued, include)) {
          expect(object.apiVersion).toBeTruthy();
          expect(object.kind).toBeTruthy();
          expect(object.metadata.name).toBeTruthy();
          const own = { 'app.kubernetes.io/name': registration.metadata.name, 'app.kubernetes.io/managed-by': 'apisvc' };
          if (object.kind === 'Namespace') expect(object.metadata).toEqual({ name: registration.metadata.namespace });
          else {
            const { name, namespace } = registration.metadata;
            expect(object.metadata.labels).toMatchObject(own);
            expect(object.metadata.annotations).toMatchObject({ 'apisvc.dev/registration': `${namespace}/${name}` });
          }
          expect(parse(text, { version: '1.1' })).toEqual(object);
          expect(parse(text)).toEqual(object);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has the same bytes the second time, and unique file names', () => {
    fc.assert(
      fc.property(registrations, (registration) => {
        const [first, second] = [renderManifests(registration, issued, include), renderManifests(registration, issued, include)];
        expect(second).toEqual(first);
        const names = first.map(({ fileName }) => fileName);
        expect(new Set(names).size).toBe(names.length);
        expect([...names].sort()).toEqual(names);
      }),
      { numRuns: 20 },
    );
  });

  // An emptyDir and a rule of a NetworkPolicy say something by being there.
  it('has no empty list, map or null that kube-apiserver would drop', () => {
    const empties = (value: unknown, path = ''): string[] => {
      if (value === null) return [path];
      if (typeof value !== 'object' || /\.(emptyDir|egress\.0)$/.test(path)) return [];
      const entries = Object.entries(value);
      return entries.length === 0 ? [path] : entries.flatMap(([key, item]) => empties(item, `${path}.${key}`));
    };
    for (const name of presetNames) {
      for (const { object } of renderManifests(presetRegistration(name), issued, include)) expect(empties(object)).toEqual([]);
    }
  });
});

describe('certificates', () => {
  it('puts the CA into caBundle, base64 once', () => {
    const service = objectOf(renderManifests(presetRegistration('sample-apiserver'), issued, include), 'APIService');
    const { caBundle } = service.spec as { caBundle: string };
    expect(Buffer.from(caBundle, 'base64').toString()).toBe(caPem);
  });

  it('puts certificate, key and CA into the Secret', () => {
    const { data, type } = objectOf(renderManifests(presetRegistration('sample-apiserver'), issued, include), 'Secret');
    const decoded = Object.entries(data as Record<string, string>).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
    expect(type).toBe('kubernetes.io/tls');
    expect(Object.fromEntries(decoded)).toEqual({ 'ca.crt': caPem, 'tls.crt': leafPem, 'tls.key': keyText });
  });

  it('omits the Secret on request and keeps the caBundle', () => {
    const text = manifestsYaml(renderManifests(presetRegistration('sample-apiserver'), issued, { secrets: 'omit' }));
    expect(parseAllDocuments(text).map((document) => document.toJS().kind)).not.toContain('Secret');
    expect(text).not.toContain(Buffer.from(keyText).toString('base64'));
    expect(text).toContain(Buffer.from(caPem).toString('base64'));
  });

  it('has neither Secret nor caBundle without certificates', () => {
    const manifests = renderManifests(presetRegistration('sample-apiserver'), undefined, include);
    expect(kindsOf(manifests)).not.toContain('Secret');
    expect(objectOf(manifests, 'APIService').spec).not.toHaveProperty('caBundle');
  });

  it('refuses a Secret without a key', () => {
    const { key: _, ...keyless } = issued;
    expect(() => renderManifests(presetRegistration('sample-apiserver'), keyless, include)).toThrow(
      /cannot create Secret api-tls: the private key/,
    );
  });
});

describe('which objects there are', () => {
  it('leaves out a Namespace that every cluster has', () => {
    expect(kindsOf(renderManifests(presetRegistration('metrics-server'), issued, include))).not.toContain('Namespace');
    expect(kindsOf(renderManifests(presetRegistration('sample-apiserver'), issued, include))[0]).toBe('Namespace');
  });

  it('makes one APIService for each group and version', () => {
    const manifests = renderManifests(presetRegistration('custom'), issued, include).filter(({ object }) => object.kind === 'APIService');
    expect(manifests.map(({ object }) => object.metadata.name)).toEqual(['v1.my.example.com', 'v1beta1.my.example.com']);
  });

  it('keeps the key of an external server out of the cluster', () => {
    const registration = registrationOf('    external: {addresses: [192.0.2.1, "2001:db8::1", 192.0.2.2], port: 9443}');
    const manifests = renderManifests(registration, issued, include);
    expect(kindsOf(manifests)).toEqual([
      'Namespace',
      'ServiceAccount',
      'ClusterRoleBinding',
      'RoleBinding',
      'Service',
      'EndpointSlice',
      'EndpointSlice',
      'APIService',
    ]);
    expect(objectOf(manifests, 'Service').spec).toEqual({ ports: [{ port: 443, targetPort: 9443 }] });
    expect(manifests.filter(({ object }) => object.kind === 'EndpointSlice').map(({ object }) => object)).toMatchObject([
      {
        metadata: { name: 'api-ipv4', labels: { 'kubernetes.io/service-name': 'api', 'endpointslice.kubernetes.io/managed-by': 'apisvc' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['192.0.2.1'] }, { addresses: ['192.0.2.2'] }],
        ports: [{ port: 9443 }],
      },
      { metadata: { name: 'api-ipv6' }, addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8::1'] }], ports: [{ port: 9443 }] },
    ]);
  });

  it('names the port of an EndpointSlice as the Service does', () => {
    const registration = registrationOf(
      '    external: {addresses: [192.0.2.1], port: 9443}',
      '    portName: https\n    appProtocol: https',
    );
    const manifests = renderManifests(registration, issued, include);
    expect(objectOf(manifests, 'EndpointSlice').ports).toEqual([{ name: 'https', appProtocol: 'https', port: 9443, protocol: 'TCP' }]);
    expect(objectOf(manifests, 'Service').spec).toMatchObject({ ports: [{ name: 'https' }] });
  });

  it('asks for an IPv6 Service when every address is one', () => {
    const registration = registrationOf('    external: {addresses: ["2001:db8::1"], port: 9443}');
    expect(objectOf(renderManifests(registration, issued, include), 'Service').spec).toMatchObject({ ipFamilies: ['IPv6'] });
  });
});
