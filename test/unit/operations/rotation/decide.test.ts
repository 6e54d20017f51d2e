import { describe, expect, test } from 'vitest';
import type { Journal } from '../../../../src/cluster/rotation-lease.ts';
import { fixInDirectory } from '../../../../src/config/project-commands.ts';
import { RefusedError } from '../../../../src/errors.ts';
import { type Beginning, decide } from '../../../../src/operations/rotation/decide.ts';
import type { CertificateSet } from '../../../../src/operations/rotation/rotation.ts';

const set = (leaf: string): CertificateSet => ({ chain: '', presented: [], leaf, anchors: [], key: undefined });
const current = set('old');
const next = set('new');
const journal: Journal = {
  kind: 'ca',
  direction: 'forward',
  step: 'uptake',
  number: 3,
  steps: 8,
  title: 'Waiting',
  started: '2026-11-28T12:00:00Z',
  holder: 'jane@host',
  oldCertificate: 'old',
  newCertificate: 'new',
};
const ask = (beginning: Partial<Beginning>) => {
  const all = { current, next: undefined, journal: undefined, abort: false, ...beginning };
  try {
    return decide(all).action;
  } catch (error) {
    if (error instanceof RefusedError) return error.message;
    throw error;
  }
};

describe('rotate', () => {
  test.each<[string, Partial<Beginning>, string]>([
    ['starts where nothing is pending', {}, 'start'],
    ['continues with the pending certificates', { next, journal }, 'continue'],
    ['continues after a crash before the Lease named them', { next }, 'continue'],
    ['continues forward after a way back that did not end', { next, journal: { ...journal, direction: 'back' } }, 'continue'],
    ['finishes after the pending certificates became current', { current: next, journal }, 'finish'],
    ['starts after a way back whose last step ended', { journal: { ...journal, direction: 'back', step: 'discard' } }, 'start'],
  ])('%s', (_, beginning, action) => {
    expect(ask(beginning)).toBe(action);
  });

  const leaf: Journal = { ...journal, kind: 'leaf' };
  test.each<[string, Partial<Beginning>, string | RegExp]>([
    ['continues with the new certificate', { journal: leaf, inSecret: next }, 'continue'],
    ['continues so without any file', { journal: leaf, inSecret: next, current: undefined }, 'continue'],
    ['starts again where the Secret still has the old one', { journal: leaf, inSecret: current }, 'start'],
    [
      'does not while somebody rolls back',
      { journal: { ...leaf, direction: 'back' }, inSecret: next },
      /is not complete .*; it is being rolled back$/,
    ],
    [
      'does not with a new CA, whose key for the server is lost',
      { journal, inSecret: current },
      /its new private key is not in this project/,
    ],
    ['does not with a third certificate', { journal: leaf, inSecret: set('third') }, /its new private key is not in this project/],
  ])('where the Secret has the key of the CA, %s', (_, beginning, action) => {
    expect(ask(beginning)).toMatch(action);
  });

  test('refuses a rotation of another machine, and names who ran it last', () => {
    expect(ask({ journal })).toMatch(
      /^the rotation that started at 2026-11-28T12:00:00Z, last run by jane@host, is not complete \(step 3 of 8: Waiting\)/,
    );
    expect(ask({ journal, next: set('third') })).toContain('its new private key is not in this project');
  });

  test('names no directory for the rotation of another one, because a copy has the same name', () => {
    const beginning = { current, next: undefined, journal, holder: 'jane@host', abort: false };
    expect(() => decide(beginning)).toThrow(
      expect.objectContaining({
        fix: 'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR\nOr roll back in this directory: apisvc rotate --abort',
      }),
    );
  });

  test.each<[string, Partial<Beginning>, string]>([
    [
      'of other files',
      { current: set('third') },
      'Finish the rotation in the project directory where it was started: apisvc rotate -C DIR\nOr roll back in that directory: apisvc rotate --abort -C DIR',
    ],
    [
      'back that only another copy can finish',
      { journal: { ...journal, kind: 'leaf', direction: 'back' }, inSecret: next },
      'Finish the rollback in a copy of the project that has the old certificate: apisvc rotate --abort -C DIR',
    ],
  ])('names another directory in the commands for a rotation %s', (_, beginning, fix) => {
    const asked = () => decide({ current, next: undefined, journal, abort: false, ...beginning });
    expect(asked).toThrow(expect.objectContaining({ fix }));
    expect(fixInDirectory(fix, 'demo')).toBe(fix);
  });

  test('refuses in a project that does not have the old certificate', () => {
    expect(ask({ journal, current: set('third') })).toContain('certs/ does not have the certificate that it replaces');
    expect(ask({ journal, current: set('third'), abort: true })).toContain('certs/ does not have the certificate that it replaces');
    expect(ask({ journal, current: set('third'), next: set('fourth'), abort: true })).toContain(
      'certs/ does not have the certificate that it replaces',
    );
  });
});

describe('rotate --abort', () => {
  test.each<[string, Partial<Beginning>, string]>([
    ['has nothing to do without a rotation', {}, 'nothing'],
    ['goes back from pending certificates', { next, journal }, 'back'],
    ['goes back before the Lease named them', { next }, 'back'],
    ['goes back on another machine', { journal }, 'back'],
    ['ends a way back whose last step ended', { journal: { ...journal, direction: 'back', step: 'discard' } }, 'back'],
  ])('%s', (_, beginning, action) => {
    expect(ask({ ...beginning, abort: true })).toBe(action);
  });

  test.each([
    ['ca', 'the old CA is no longer in any caBundle', 'apisvc rotate --ca'],
    ['leaf', 'certs/ has the new certificate, and the old one was deleted', 'apisvc rotate'],
  ] as const)('is refused after the new certificates became current (%s)', (kind, why, again) => {
    expect(() => decide({ current: next, next: undefined, journal: { ...journal, kind }, abort: true })).toThrow(
      expect.objectContaining({
        message: `the rotation cannot be rolled back: ${why}`,
        fix: `Finish the rotation: apisvc rotate\nIf the new certificate must not be used, then rotate again: ${again}`,
      }),
    );
  });
});
