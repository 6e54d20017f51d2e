import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { presetNames } from '../../src/config/presets.ts';
import { folder } from '../unit/project/folder.ts';
import { apisvc, bin, root, shell } from './apisvc.ts';
import { commandNames } from './command-names.ts';

const cwd = root;

describe('help', () => {
  test.each([[], ['--help'], ['help']])('%j lists the commands and the exit codes', async (...args) => {
    const { code, stdout, stderr } = await apisvc(args.flat(), { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of commandNames) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('70   Internal failure, such as a full disk or a bug in apisvc');
    expect(stdout).toContain('124  The time limit (--timeout) was exceeded');
    expect(stdout).toContain('143  Terminated by SIGTERM');
  });

  test.each(commandNames)('of %s shows its own and the common options', async (command) => {
    const { code, stdout } = await apisvc([command, '--help'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: apisvc ${command}`);
    expect(stdout).toContain('--no-color');
  });

  test('--version prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(await apisvc(['--version'], { cwd })).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('as a kubectl plugin, the usage starts with kubectl apisvc', async () => {
    const dir = folder();
    symlinkSync(bin, join(dir, 'kubectl-apisvc'));
    const { stdout } = await apisvc(['render', '--help'], { cwd, program: join(dir, 'kubectl-apisvc') });
    expect(stdout).toContain('Usage: kubectl apisvc render');
  });
});

describe('wrong usage: exit 2, nothing on stdout', () => {
  test.each([
    [['rendr'], "error: unknown command 'rendr'\n(Did you mean render?)"],
    [['render', '--ouput-dir', 'x'], "error: unknown option '--ouput-dir'\n(Did you mean --output-dir?)"],
    [['render', 'extra'], 'error: too many arguments'],
    [['render', '-o', 'xml'], "argument 'xml' is invalid. Allowed choices are yaml, json, kustomize, helm."],
    [['render', '-o', 'kustomize'], 'error: -o kustomize writes several files and needs --output-dir\nfix: Add --output-dir manifests.\n'],
    [['init', '--preset', 'nope'], `argument 'nope' is invalid. Allowed choices are ${presetNames.join(', ')}.`],
    [['init', '--key-type', 'rsa-512'], "argument 'rsa-512' is invalid. Allowed choices are ecdsa-p256,"],
    [['verify', '--timeout', 'soon'], 'must be a duration such as 90s, 1h30m, 90d or 10y'],
    [['register', '--timeout', '25d'], 'must be at most 24d'],
    [['register', '--timeout', '100'], 'It has no unit; write 100s, 100m or 100h.\n'],
    [['verify', 'Not_A_Name'], 'error: invalid APIService name "Not_A_Name"'],
    [['verify', '--as-group', 'x', '--', 'v1.a'], 'error: --as-group needs --as\nfix: Add --as USER.\n'],
    [
      ['verify', '--all', 'v1.a'],
      'error: names, --all and --selector cannot be used together\nfix: Pass only names, only --all, or only --selector.\n',
    ],
    [
      ['verify', '--all', '--from', 'x'],
      "error: option '--from <file>' cannot be used with option '--all'\nfix: Remove one of the two flags.\n",
    ],
    [['verify', '--no-probe', '--from', 'x'], "error: option '--from <file>' cannot be used with option '--no-probe'\nfix: Remove one "],
    [['verify', '--watch', '--wait', 'v1.a'], "error: option '--watch' cannot be used with option '--wait'\nfix: Remove one of "],
    [['rotate', '--abort', '--ca'], "error: option '--abort' cannot be used with option '--ca'\nfix: Remove one of the two flags.\n"],
    [['verify', '--watch', 'v1.a', '-o', 'html'], 'error: -o html cannot be used with --watch'],
    [
      ['verify', '--context', 'a', '--context', 'b', 'v1.a', '--save', 'x'],
      'error: --save cannot be used with more than one --context\nfix: Run the command once for each context: apisvc verify --context NAME --save FILE\n',
    ],
    [['verify', '--fail-if-expires-within', 'soon', 'v1.a'], 'must be a duration such as 90s, 1h30m, 90d or 10y'],
    [['rotate', '--if-expires-within', '0s'], "argument '0s' is invalid. It must be longer than 0."],
    [['explain', 'cert/unknown-autority'], 'error: unknown finding or topic "cert/unknown-autority"; did you mean cert/unknown-authority?'],
    [['explain', 'san'], 'did you mean cert/san-mismatch?'],
    [['lint'], 'error: no file given, and no apisvc.yaml in this directory\nfix: '],
    [['completion'], "error: missing required argument 'shell'"],
    [['register', '--diff', '--dry-run', 'server'], 'error: --diff cannot be used with --dry-run\nfix: Remove one of the two flags.\n'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await apisvc(args, { cwd: folder() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test.each([
    ['nope', "error: unknown command 'nope'\n(run with --help for usage)\n"],
    ['regster', "error: unknown command 'regster'\n(Did you mean register?)\n(run with --help for usage)\n"],
  ])('help %s: an unknown command', async (name, stderr) => {
    expect(await apisvc(['help', name], { cwd: folder() })).toEqual({ code: 2, stdout: '', stderr });
  });

  test('control characters in errors are escaped', async () => {
    const { stderr } = await apisvc(['lint', 'a\u001b[2Jb'], { cwd: folder() });
    expect(stderr).toBe('error: failed to read a\\x1b[2Jb: no such file or directory\nfix: Check the path.\n');
  });

  test.each([
    [['a\u001b[2Jb'], "error: unknown command 'a\\x1b[2Jb'\n"],
    [['help', 'a\u001b[2Jb'], "error: unknown command 'a\\x1b[2Jb'\n"],
    [['lint', '--a\u001b[2Jb'], "error: unknown option '--a\\x1b[2Jb'\n"],
    [['lint', '-o', 'a\u001b[2Jb'], "argument 'a\\x1b[2Jb' is invalid."],
  ])('control characters in the usage error of %j are escaped', async (args, message) => {
    const { code, stderr } = await apisvc(args, { cwd: folder() });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('\u001b');
  });
});

describe('no cluster', () => {
  test('verify names the kubeconfig that it looked for, exit 3', async () => {
    const { code, stdout, stderr } = await apisvc(['verify', 'v1.example.com'], { cwd });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toBe(
      'error: no cluster is configured: /nonexistent/.kube/config does not exist, and apisvc is not running in a pod\nfix: Set --kubeconfig or KUBECONFIG to a kubeconfig file.\n',
    );
  });

  test('verify and register outside a project name the missing apisvc.yaml', async () => {
    const here = folder();
    expect((await apisvc(['verify'], { cwd: here })).stderr).toContain(
      'error: no APIService given, and no apisvc.yaml in this directory\n',
    );
    expect((await apisvc(['register'], { cwd: here })).stderr).toContain('apisvc.yaml not found');
  });

  test('stack traces only with -v', async () => {
    const quiet = await apisvc(['render'], { cwd: folder() });
    const verbose = await apisvc(['-v', 'render'], { cwd: folder() });
    expect(quiet.stderr).not.toContain('    at ');
    expect(verbose.stderr).toContain('    at ');
    expect([quiet.code, verbose.code]).toEqual([2, 2]);
  });
});

test('help into a closed pipe is silent', async () => {
  const { code, stderr } = await shell('{ sleep 0.2; "$apisvc" --help; echo "code $?" >&2; } | true', folder());
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'code 0\n' });
});

describe.runIf(process.platform === 'linux')('a full disk: one error, exit 70', () => {
  test.each(['', '--help', 'help', 'help init', 'init --help', '--version'])('apisvc %s', async (args) => {
    expect(await shell(`"$apisvc" ${args} > /dev/full`, folder())).toEqual({
      code: 70,
      stdout: '',
      stderr:
        'error: failed to write stdout: no space left on the device\nfix: Free some space, or choose a directory on another file system.\n',
    });
  });
});
