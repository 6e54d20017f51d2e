import { beforeEach, describe, expect, test } from 'vitest';
import { folder } from '../unit/project/folder.ts';
import { apisvc } from './apisvc.ts';

/** What stdout contains if a command ends with an error: CI systems read some of the formats. */

let cwd: string;
beforeEach(() => {
  cwd = folder();
});

describe.each([
  ['lint', ['.'], 'no APIService in .'],
  ['verify', ['v1.a.example.com', '--kubeconfig', 'none.yaml'], 'kubeconfig none.yaml not found'],
])('%s', (command, args, message) => {
  test.each([
    ['junit', `<testcase classname="apisvc ${command}" name="run" time="0"><error message="${message}" type="error">${message}\nfix: `],
    ['sarif', `"executionSuccessful": false`],
    ['sarif', `"text": "${message}\\nfix: `],
    ['sarif', `"results": []`],
    ['github', `::error title=apisvc ${command}::${message}%0Afix: `],
  ])('-o %s has the error', async (output, words) => {
    const { code, stdout, stderr } = await apisvc([command, ...args, '-o', output], { cwd });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(`^error: ${message}\nfix: `) });
    expect(stdout).toContain(words);
  });

  test.each(['text', 'short', 'json', 'yaml', 'html'])('-o %s has nothing', async (output) => {
    expect(await apisvc([command, ...args, '-o', output], { cwd })).toMatchObject({ code: 2, stdout: '' });
  });
});

test('wrong flags print nothing to stdout', async () => {
  expect(await apisvc(['lint', '--bogus', '-o', 'junit'], { cwd })).toMatchObject({ code: 2, stdout: '' });
});
