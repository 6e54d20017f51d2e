import { describe, expect, test } from 'vitest';
import { dns1035Label, dns1123Subdomain } from '../../../../src/config/names.ts';
import { ApiFailure } from '../../../../src/sandbox/shared/failure.ts';
import { prepareApiService } from '../../../../src/sandbox/simulated/api-service.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';

const now = new Date('2026-06-15T12:00:00.789Z');
const service = { namespace: 'default', name: 'api' };
const sound = { group: 'a.b', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, service };

const prepared = (spec: unknown, old?: Obj, name = 'v1.a.b'): Obj => prepareApiService({ metadata: { name }, spec }, old, now);

function refusal(spec: unknown, name?: string): ApiFailure {
  try {
    prepared(spec, undefined, name);
  } catch (error) {
    if (error instanceof ApiFailure) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('what is stored', () => {
  test('has a port, and neither empty nor unknown fields', () => {
    const spec = { insecureSkipTLSVerify: false, caBundle: '', unknown: 1, ...sound };
    expect(JSON.stringify(prepared(spec).spec)).toBe(
      '{"service":{"namespace":"default","name":"api","port":443},"group":"a.b","version":"v1","groupPriorityMinimum":1000,"versionPriority":15}',
    );
    expect(prepared({ ...sound, service: { ...service, port: null } }).spec.service.port).toBe(443);
    expect(prepared({ ...sound, service: { ...service, port: 8443 } }).spec.service.port).toBe(8443);
  });

  test('has the caBundle on one line', () => {
    expect(prepared({ ...sound, caBundle: 'YWJj\r\nZGVm\n' }).spec.caBundle).toBe('YWJjZGVm');
  });

  test('is not available yet, whatever status was sent, unless it is Local', () => {
    expect(prepareApiService({ metadata: { name: 'v1.a.b' }, spec: sound, status: { conditions: [1] } }, undefined, now).status).toEqual(
      {},
    );
    const local = { type: 'Available', status: 'True', lastTransitionTime: '2026-06-15T12:00:00Z', reason: 'Local' };
    expect(prepared({ ...sound, service: undefined }).status.conditions).toEqual([
      { ...local, message: 'Local APIServices are always available' },
    ]);
  });

  test('keeps the status when it is changed', () => {
    const old = { status: { conditions: ['as it was'] } };
    expect(prepared(sound, old).status).toBe(old.status);
  });
});

describe('an invalid field', () => {
  const dns1035 = dns1035Label.message;
  const dns1123 = dns1123Subdomain.message;

  test.each<[string, unknown, string]>([
    [
      'everything is missing',
      undefined,
      `[metadata.name: Invalid value: "v1.a.b": must be \`spec.version+"."+spec.group\`: ".", spec.group: Required value: only v1 may have an empty group and it better be legacy kube, spec.version: Invalid value: "": must not be empty, spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000, spec.versionPriority: Invalid value: 0: must be positive and less than 1000]`,
    ],
    [
      'everything is wrong',
      {
        group: 'A.b',
        version: '1',
        groupPriorityMinimum: 20_001,
        versionPriority: 1001,
        service: { port: 70_000 },
        insecureSkipTLSVerify: true,
        caBundle: 'YWJj',
      },
      `[metadata.name: Invalid value: "v1.a.b": must be \`spec.version+"."+spec.group\`: "1.A.b", spec.group: Invalid value: "A.b": ${dns1123}, spec.version: Invalid value: "1": ${dns1035}, spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000, spec.versionPriority: Invalid value: 1001: must be positive and less than 1000, spec.service.namespace: Required value, spec.service.name: Required value, spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive, spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present]`,
    ],
    [
      'a Local one with trust',
      { ...sound, service: null, insecureSkipTLSVerify: true, caBundle: 'YWJj' },
      '[spec.caBundle: Invalid value: "YWJj": local APIServices may not have a caBundle, spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify]',
    ],
    [
      'port 0',
      { ...sound, service: { ...service, port: 0 } },
      'spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive',
    ],
  ])('%s', (_, spec, list) => {
    const { code, reason, message, details } = refusal(spec);
    expect({ code, reason, message }).toEqual({
      code: 422,
      reason: 'Invalid',
      message: `APIService.apiregistration.k8s.io "v1.a.b" is invalid: ${list}`,
    });
    const causes = (details?.causes ?? []).map(({ field, message: cause }) => `${field}: ${cause}`);
    expect(list).toBe(causes.length === 1 ? causes[0] : `[${causes.join(', ')}]`);
  });

  test('the reasons of causes', () => {
    expect(refusal({}).details).toMatchObject({ name: 'v1.a.b', group: 'apiregistration.k8s.io', kind: 'APIService' });
    expect(refusal({}).details?.causes?.map(({ reason }) => reason)).toEqual([
      'FieldValueInvalid',
      'FieldValueRequired',
      'FieldValueInvalid',
      'FieldValueInvalid',
      'FieldValueInvalid',
    ]);
  });

  test('the name', () => {
    expect(refusal(sound, 'v1.b').message).toContain(
      'metadata.name: Invalid value: "v1.b": must be `spec.version+"."+spec.group`: "v1.a.b"',
    );
  });
});

test.each<[Obj, string]>([
  [{ caBundle: '!!!' }, 'illegal base64 data'],
  [{ caBundle: 5 }, 'json: cannot unmarshal spec.caBundle'],
  [{ groupPriorityMinimum: 'x' }, 'json: cannot unmarshal spec.groupPriorityMinimum'],
  [{ service: { port: 'https' } }, 'json: cannot unmarshal spec.service.port'],
  [{ service: 'api' }, 'json: cannot unmarshal spec.service'],
  [{ insecureSkipTLSVerify: [] }, 'json: cannot unmarshal spec.insecureSkipTLSVerify'],
])('of another type: %j', (spec, reason) => {
  const { code, message } = refusal({ ...sound, ...spec });
  expect({ code, message }).toEqual({ code: 400, message: `APIService in version "v1" cannot be handled as a APIService: ${reason}` });
});
