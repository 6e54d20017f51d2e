import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { rbacRules } from '../../../src/cluster/status.ts';
import type { Registration } from '../../../src/config/schema.ts';
import { Exit } from '../../../src/errors.ts';
import { cronJobManifests } from '../../../src/manifests/cronjob.ts';
import { podSelector } from '../../../src/manifests/labels.ts';
import { manifestsYaml } from '../../../src/manifests/outputs/yaml.ts';
import { needsInPod } from '../../../src/operations/rotate/needs-in-pod.ts';
import { registrationOf } from './fixture.ts';

const registration = registrationOf('    image: example:1', '  certificates:\n    issuer: {type: self-signed, caKey: secret}\n');

// biome-ignore lint/suspicious/noExplicitAny: JSON of a CronJob.
const cronJobOf = (of: Registration): any => manifestsOf(of).find(({ object }) => object.kind === 'CronJob')?.object;

function manifestsOf(of: Registration) {
  const rules = rbacRules(needsInPod(of, '.'));
  const those = (isInCluster: boolean): object[] =>
    rules.filter(({ namespace }) => (namespace === undefined) === isInCluster).map(({ yaml }) => parse(yaml));
  return cronJobManifests(of, {
    image: 'registry.example.com/apisvc:1',
    schedule: '17 3 * * *',
    configuration: 'apiVersion: apisvc.dev/v1alpha1\n',
    rules: { inNamespace: those(false), inCluster: those(true) },
  });
}

test('the objects of a CronJob', async () => {
  await expect(manifestsYaml(manifestsOf(registration))).toMatchFileSnapshot('snapshots/cronjob.yaml');
});

test('its permissions are in the namespace of the server and for its APIServices, with one Secret to write', () => {
  const needs = needsInPod(registration, '.');
  expect(new Set(needs.map(({ ref: { namespace } }) => namespace))).toEqual(new Set(['example', undefined]));
  const secrets = needs.filter(({ ref }) => ref.resource.kind === 'Secret').map(({ verb, ref }) => `${verb} ${ref.name}`);
  expect([...new Set(secrets)].sort()).toEqual(['get api-ca', 'get api-tls', 'patch api-tls']);
  const outside = needs.filter(({ ref: { namespace } }) => namespace === undefined);
  expect([...new Set(outside.map(({ verb, ref }) => `${verb} ${ref.resource.plural}`))].sort()).toEqual([
    'get apiservices',
    'list apiservices',
  ]);
});

test('no Service of the project selects the pods, and rotate ends before the Job is ended', () => {
  const { template, activeDeadlineSeconds, backoffLimit } = cronJobOf(registration).spec.jobTemplate.spec;
  expect(template.metadata.labels).not.toMatchObject(podSelector(registration));
  const [, minutes] = /--timeout=(\d+)m/.exec(template.spec.containers[0].args.join(' ')) ?? [];
  expect(Number(minutes) * 60 * (backoffLimit + 1)).toBeLessThan(activeDeadlineSeconds);
});

test('only what rotate itself reports as failed ends the Job', () => {
  const { ok, interrupted, terminated, ...failures } = Exit;
  const { rules } = cronJobOf(registration).spec.jobTemplate.spec.podFailurePolicy;
  expect(rules).toEqual([{ action: 'FailJob', onExitCodes: { operator: 'In', values: Object.values(failures) } }]);
});

test('the name of the CronJob leaves room for the names of its Jobs', () => {
  const name = 'n'.repeat(63);
  const names = manifestsOf({ ...registration, metadata: { ...registration.metadata, name } }).map(({ object }) => object.metadata.name);
  expect(names.at(-1)).toBe(`${'n'.repeat(45)}-rotate`);
});
