import { expect, test } from 'vitest';
import { goMessage, hostPort } from '../../../src/cluster/go-errors.ts';

/** Errors that do not happen on loopback. */
const remote = '10.0.0.1:443';
const failing = (fields: object, message = ''): Error => Object.assign(new Error(message), fields);

test.each([
  [{ code: 'EHOSTUNREACH', syscall: 'connect' }, 'dial tcp 10.0.0.1:443: connect: no route to host'],
  [{ code: 'ENETUNREACH', syscall: 'connect' }, 'dial tcp 10.0.0.1:443: connect: network is unreachable'],
  [{ code: 'ETIMEDOUT', syscall: 'connect' }, 'dial tcp 10.0.0.1:443: connect: connection timed out'],
  [{ code: 'EPIPE', syscall: 'write' }, 'write tcp 10.0.0.2:5000->10.0.0.1:443: write: broken pipe'],
  [{ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'api.invalid' }, 'dial tcp: lookup api.invalid: no such host'],
  [{ code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: 'api.invalid' }, 'dial tcp: lookup api.invalid: server misbehaving'],
  [
    { code: 'HPE_INVALID_CONSTANT', rawPacket: Buffer.from('hello\n') },
    'net/http: HTTP/1.x transport connection broken: malformed HTTP response "hello"',
  ],
])('%j', (fields, message) => {
  expect(goMessage(failing(fields), { local: '10.0.0.2:5000', remote })).toBe(message);
});

test('a TLS alert is named by its number', () => {
  const error = (alert: number): Error =>
    failing(
      { code: 'ERR_SSL_X' },
      `error:0A000416:SSL routines:ssl3_read_bytes:x:ssl/record/rec_layer_s3.c:1586:SSL alert number ${alert}\n`,
    );
  expect(goMessage(error(42), { remote })).toBe('remote error: tls: bad certificate');
  expect(goMessage(error(116), { remote })).toBe('remote error: tls: certificate required');
  expect(goMessage(error(77), { remote })).toBe('remote error: tls: alert(77)');
  expect(goMessage(failing({ code: 'ERR_SSL_UNEXPECTED_MESSAGE' }), { remote })).toBe('tls: unexpected message');
});

test('an IPv6 address is in brackets', () => {
  expect([hostPort('::1', 443), hostPort('10.0.0.1', 443)]).toEqual(['[::1]:443', '10.0.0.1:443']);
});
