import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../src/project/project.ts';
import { apisvc } from './harness/commands.ts';
import { failure, getObject, verifyJson } from './harness/projects.ts';
import { registered, removeProjects } from './harness/registered.ts';

afterAll(removeProjects);

describe('register with new keys', () => {
  test('keeps the caBundle of the APIService until the server serves the new certificate', async () => {
    const { dir, apiService, start } = await registered('new-keys');
    const caBundle = (): string => readFileSync(projectFiles(dir).caCertificate, 'base64');
    const old = caBundle();
    expect(await apisvc(['init', dir, '--force-keys', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(caBundle()).not.toBe(old);

    const { exitCode, stdout, stderr } = await failure(apisvc(['register', '--timeout', '15s'], { cwd: dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 124, stdout: '' });
    expect(stderr).toMatch(
      /\nerror: timed out after 15s .*waiting for every endpoint to serve a certificate for api\.new-keys\.svc that the caBundle verifies; last state: \S+: serves CN=api\.new-keys\.svc/,
    );
    expect((await getObject('apiservice', apiService))?.spec).toMatchObject({ caBundle: old });
    expect((await verifyJson([apiService])).exitCode).toBe(0);

    await start();
    const again = await apisvc(['register'], { cwd: dir });
    expect({ exitCode: again.exitCode, stderr: again.stderr }).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toMatch(/^\d+ objects: 1 configured, \d+ unchanged\.\n/);
    expect((await getObject('apiservice', apiService))?.spec).toMatchObject({ caBundle: caBundle() });
  });
});

describe('two projects in one namespace', () => {
  test("do not change each other's objects", async () => {
    const first = await registered('flat-one', { namespace: 'flat', service: 'one' });
    const second = await registered('flat-two', { namespace: 'flat', service: 'two' });
    for (const { dir } of [first, second, first]) {
      expect(await apisvc(['register'], { cwd: dir })).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^Nothing changed: /),
      });
    }
  });
});
