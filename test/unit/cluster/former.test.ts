import { describe, expect, test } from 'vitest';
import { formerAnnotation, hasLostValues, recordFormer, withFormer } from '../../../src/cluster/former.ts';
import type { FieldsV1 } from '../../../src/cluster/owned-fields.ts';
import { restartAnnotation } from '../../../src/manifests/labels.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';

const deployment = (container: object, volumes?: readonly object[], metadata: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'server', namespace: 'apps', ...metadata },
  spec: { template: { spec: { containers: [{ name: 'sidecar' }, { name: 'server', ...container }], ...(volumes ? { volumes } : {}) } } },
});

const mount = { name: 'serving-cert', mountPath: '/certs' };
const volume = { name: 'serving-cert', secret: { secretName: 'server-tls' } };
const ownedContainer = {
  '.': {},
  'f:name': {},
  'f:args': {},
  'f:volumeMounts': { 'k:{"mountPath":"/certs"}': { '.': {}, 'f:mountPath': {}, 'f:name': {} } },
};
const owned: FieldsV1 = {
  'f:metadata': { 'f:annotations': { 'f:project': {} } },
  'f:spec': {
    'f:template': {
      'f:spec': {
        'f:containers': { 'k:{"name":"server"}': ownedContainer },
        'f:volumes': { 'k:{"name":"serving-cert"}': { '.': {}, 'f:name': {}, 'f:secret': { 'f:secretName': {} } } },
      },
    },
  },
};

/** The object after the first apply, with the record. */
function applied(before: KubeObject, after: KubeObject): KubeObject {
  const former = recordFormer(before, after, owned);
  const annotations = { ...after.metadata.annotations, ...(former === undefined ? {} : { [formerAnnotation]: former }) };
  return { ...after, metadata: { ...after.metadata, annotations } };
}

const args = ['--secure-port=10250', '--cert-dir=/tmp'];
const set = ['--secure-port=10250', '--tls-cert-file=/certs/tls.crt'];
const project = { annotations: { project: 'apps/server' } };
const after = deployment({ args: set, volumeMounts: [mount] }, [volume], project);

describe('the former values of a Deployment', () => {
  test.each<[string, KubeObject]>([
    ['with arguments and volumes of its own', deployment({ args, volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] }, [{ name: 'tmp' }])],
    ['without arguments, volumes and annotations', deployment({})],
    ['with other annotations', deployment({ args }, undefined, { annotations: { theirs: '1' } })],
    ['with a volume of the same name', deployment({ args }, [{ name: 'serving-cert', secret: { secretName: 'theirs' } }])],
  ])('%s are put back exactly', (_, before) => {
    // biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
    const of = (object: any) => object.spec.template.spec;
    const [, container] = of(before).containers;
    const merged = deployment(
      { args: set, volumeMounts: [...(container.volumeMounts ?? []), mount] },
      [...(of(before).volumes ?? []).filter(({ name }: { name: string }) => name !== volume.name), volume],
      { annotations: { ...before.metadata.annotations, project: 'apps/server' } },
    );
    expect(withFormer(applied(before, merged), owned)).toEqual(before);
  });

  test.each<[string, object | undefined, object]>([
    ['of its own', { annotations: { theirs: '1' } }, { annotations: { theirs: '1', [restartAnnotation]: 'AB:CD' } }],
    ['of apisvc alone', undefined, { annotations: { [restartAnnotation]: 'AB:CD' } }],
  ])('do not have the annotation by which a rotation restarted the pods, beside annotations %s', (_, own, restarted) => {
    const withTemplate = (object: KubeObject, metadata: object | undefined): KubeObject => {
      const { template } = object.spec as { template: object };
      return { ...object, spec: { template: { ...template, ...(metadata ? { metadata } : {}) } } };
    };
    const before = withTemplate(deployment({ args }), own);
    const found = withTemplate(applied(before, withTemplate(after, own)), restarted);
    expect(withFormer(found, owned)).toEqual(before);
  });

  test('keep the arguments that others added meanwhile', () => {
    const found = structuredClone(applied(deployment({ args }), after));
    // biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
    (found as any).spec.template.spec.containers[1].args.push('--v=2');
    expect(withFormer(found, owned)).toEqual(deployment({ args: ['--secure-port=10250', '--v=2', '--cert-dir=/tmp'] }));
  });

  test('do not replace a value that others changed meanwhile', () => {
    const { 'f:metadata': _, ...rest } = owned;
    const before = deployment({ args }, undefined, { annotations: { project: 'theirs' } });
    const found = applied(before, { ...after, metadata: { ...after.metadata, annotations: { project: 'changed' } } });
    expect(withFormer(found, rest)?.metadata.annotations).toEqual({ project: 'changed' });
    expect(withFormer(found, owned)?.metadata.annotations).toEqual({ project: 'theirs' });
  });

  test('of a container that was removed are ignored', () => {
    const found = structuredClone(applied(deployment({ args }), after));
    // biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
    (found as any).spec.template.spec.containers.pop();
    expect(withFormer(found, owned)).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'sidecar' }] } } } });
  });
});

test('nothing is recorded when nothing changes', () => {
  expect(recordFormer(after, after, owned)).toBeUndefined();
});

test('no private key is recorded, and the loss is known', () => {
  const secret = (data: object): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace: 'apps' }, data });
  const [before, now] = [secret({ 'tls.key': 'theirs' }), secret({ 'tls.key': 'ours', 'ca.crt': 'ours' })];
  const record = recordFormer(before, now, { 'f:data': { 'f:tls.key': {}, 'f:ca.crt': {} } }) ?? '';
  expect(record).not.toContain('theirs');
  const found = { ...now, metadata: { ...now.metadata, annotations: { [formerAnnotation]: record } } };
  expect(hasLostValues(found)).toBe(true);
  expect(withFormer(found, { 'f:data': { 'f:ca.crt': {} } })).toEqual(secret({ 'tls.key': 'ours' }));
});

test.each([undefined, 'absent', '{}', 'null', '[{"path":["f:__proto__","f:polluted"],"was":1}]', '[{"path":[]}]'])(
  'an annotation of %j is no record',
  (annotation) => {
    const annotations = annotation === undefined ? {} : { [formerAnnotation]: annotation };
    expect(withFormer({ ...after, metadata: { ...after.metadata, annotations } }, owned)).toBeUndefined();
  },
);
