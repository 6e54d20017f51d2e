import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apisvc } from '../cli/apisvc.ts';
import { emptyFolder, sandboxOnce, startSandbox } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';

describe('with the demo server', () => {
  test('--once prints the verdict to stdout, and everything else to stderr', async () => {
    const { code, stdout, stderr } = await sandboxOnce(['--once'], emptyFolder());
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(`✓ ${name}: healthy`) });
    expect(stdout).toContain(`GET /apis/demo.apisvc.dev/v1alpha1: 200, resources: hosts`);
    expect(stdout).toContain('Available=True (Passed)');
    expect(stderr).toMatch(/^a simulation of Kubernetes 1\.37 .*at https:\/\/127\.0\.0\.1:\d+/);
    expect(stderr).toContain(`apiservice/${name} created`);
  });

  test.each(['1.37', '1.35'])('-o json prints the diagnosis for Kubernetes %s', async (kubernetes) => {
    const { code, stdout } = await sandboxOnce(['--once', '--kubernetes', kubernetes, '-o', 'json'], emptyFolder());
    expect({ code, diagnosis: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      diagnosis: {
        verdict: 'healthy',
        source: {
          version: expect.stringMatching(new RegExp(`^v${kubernetes}\\.\\d+\\+apisvc\\.simulation$`)),
          context: 'apisvc-sandbox-simulation',
        },
        apis: [{ name, findings: [], notChecked: [] }],
      },
    });
  });

  test('it runs until Ctrl-C, and other commands can use it', async () => {
    const cwd = emptyFolder();
    const box = await startSandbox([], cwd);
    expect(statSync(box.env.KUBECONFIG).mode & 0o777).toBe(0o600);
    expect(await apisvc(['verify', name], { cwd, env: box.env })).toMatchObject({ code: 0 });
    const all = await apisvc(['verify', '--all', '--context', 'apisvc-sandbox-*', '-o', 'short'], { cwd, env: box.env });
    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining(`✓ apisvc-sandbox-simulation/${name} healthy`) });
    const { code, stderr } = await sandboxOnce(['--write-kubeconfig', box.env.KUBECONFIG], cwd);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is the kubeconfig of a running sandbox') });
    expect(await box.end('SIGINT')).toMatchObject({ code: 130 });
  });

  test('SIGTERM and SIGHUP end it, and two sandboxes do not interfere', async () => {
    const cwd = emptyFolder();
    const [one, other] = await Promise.all([startSandbox([], cwd), startSandbox(['--empty'], cwd)]);
    expect(await Promise.all([one.end('SIGTERM'), other.end('SIGHUP')])).toMatchObject([{ code: 143 }, { code: 143, stdout: '' }]);
  });
});

describe('empty', () => {
  test('a project can be registered, broken and repaired in it', async () => {
    const cwd = emptyFolder();
    const box = await startSandbox(['--empty'], cwd);
    const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
    expect(await run('init', 'demo', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
    expect(await run('verify', '-l', '==')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^error: invalid label selector: unable to parse requirement: .*\nfix: Use labels .* -l app=metrics-server\n$/,
      ),
    });
    expect((await run('verify', '-C', 'demo', '--context', 'apisvc-sandbox-simulation')).stdout).toContain(
      'apisvc register -C demo --context=apisvc-sandbox-simulation\n',
    );
    expect(await run('register', '-C', 'demo', '--diff')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('CN=demo.demo.svc CA, SHA-256'),
    });
    expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0, stdout: expect.stringContaining('healthy') });
    expect(await run('register', '-C', 'demo')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing changed/) });
    expect(await run('register', '-C', 'demo', '--diff')).toMatchObject({ code: 0, stdout: 'No differences.\n' });
    expect(await box.end('SIGINT')).toMatchObject({ code: 130, stdout: '' });
  });

  test('an image that is not available is reported with a fix', async () => {
    const cwd = emptyFolder();
    const box = await startSandbox(['--empty'], cwd);
    const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
    expect(await run('init', 'demo', '--preset', 'sample-apiserver', '--yes')).toMatchObject({ code: 0 });
    const { code, stderr } = await run('register', '-C', 'demo', '--timeout', '60s');
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('apisvc sandbox -- COMMAND') });
    await box.end('SIGINT');
  });
});

describe('a rehearsal', () => {
  const project = async (): Promise<string> => {
    const cwd = emptyFolder();
    expect(await apisvc(['init', '--preset', 'sample-apiserver', '--yes'], { cwd })).toMatchObject({ code: 0 });
    return cwd;
  };

  test('of a server that exits reports its last log line', async () => {
    const cwd = await project();
    writeFileSync(join(cwd, 'server.mjs'), 'console.error("no etcd here"); process.exit(3);');
    const { code, stdout, stderr } = await sandboxOnce(['--once', '--timeout', '60s', '--', process.execPath, 'server.mjs'], cwd);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('sample-apiserver | no etcd here');
    expect(stderr).toMatch(/error: .*no etcd here/);
  });

  test('gives the server its files and its port', async () => {
    const cwd = await project();
    writeFileSync(
      join(cwd, 'server.mjs'),
      "import { readFileSync } from 'node:fs';\nconst [kubeconfig, cert, key, port] = process.argv.slice(2);\nconsole.log(JSON.stringify([kubeconfig, cert].map((f) => readFileSync(f, 'utf8').length > 100)), Number(port) > 0, readFileSync(key).length > 0);\nsetTimeout(() => process.exit(1), 500);\n",
    );
    const { stderr } = await sandboxOnce(
      [
        '--once',
        '--timeout',
        '60s',
        '--',
        process.execPath,
        'server.mjs',
        '{kubeconfig}',
        '{tls-cert-file}',
        '{tls-private-key-file}',
        '{port}',
      ],
      cwd,
    );
    expect(stderr).toContain('sample-apiserver | [true,true] true true');
  });

  test('of a program that does not exist fails at once', async () => {
    const { code, stderr } = await sandboxOnce(['--', './nope'], await project());
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('./nope') });
  });

  test.each([
    ['of another cluster', 'apiVersion: v1\nkind: Config\ncurrent-context: mine\n'],
    [
      'that a sandbox was merged into',
      `current-context: apisvc-sandbox\nclusters: [{ name: apisvc-sandbox }, { name: mine }]\nusers: [{ name: apisvc-sandbox }]\ncontexts: [{ name: apisvc-sandbox }]\n`,
    ],
  ])('does not change a kubeconfig %s', async (_, text) => {
    const cwd = await project();
    const kubeconfig = join(cwd, 'kubeconfig');
    writeFileSync(kubeconfig, text);
    const { code, stderr } = await sandboxOnce(['--write-kubeconfig', kubeconfig, '--', 'true'], cwd);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('is not the kubeconfig of a sandbox') });
    expect(readFileSync(kubeconfig, 'utf8')).toBe(text);
  });
});

test.each<[string, string[], RegExp]>([
  ['a command without a project', ['--', 'true'], /no apisvc\.yaml in this directory/],
  ['-C without a program', ['-C', 'demo'], /-C requires a program/],
  ['an empty argument', ['--assets', ''], /--assets has an empty value/],
  ['a device for the kubeconfig', ['--write-kubeconfig', '/dev/full'], /is not the kubeconfig of a sandbox/],
  [
    '--empty with a command',
    ['--empty', '--', 'true'],
    /--empty cannot be used with a program\nfix: Remove --empty, or remove the program\./,
  ],
  ['--empty with --once', ['--empty', '--once'], /--empty cannot be used with --once\nfix: Remove one of the two flags\./],
  [
    '--assets for the simulation',
    ['--assets', '/tmp'],
    /--assets cannot be used with --engine simulated\nfix: Remove one of the two flags\./,
  ],
  ['--assets with --kubernetes', ['--assets', '/tmp', '--kubernetes', '1.37'], /cannot be used with/],
  ['an unknown version', ['--kubernetes', '1.20'], /Allowed choices are 1\.37, 1\.35/],
])('wrong usage: %s', async (_, args, message) => {
  const { code, stdout, stderr } = await sandboxOnce(args, emptyFolder());
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
});

test('the real engine without its programs', async () => {
  const cwd = emptyFolder();
  const { code, stderr } = await apisvc(['sandbox', '--engine', 'real'], { cwd, env: { HOME: cwd } });
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('etcd and kube-apiserver') });
  const version = await apisvc(['sandbox', '--engine', 'real', '--kubernetes', '1.37'], { cwd, env: { HOME: cwd } });
  expect(version).toMatchObject({ code: 2, stderr: expect.stringContaining('--kubernetes cannot be used with --engine real') });
});
