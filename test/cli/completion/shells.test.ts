import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answer, filesOf, kubeconfig, serve } from '../../unit/cluster/kube-api.ts';
import { contents, folder } from '../../unit/project/folder.ts';
import { apisvc, plainEnv, type Ran, root } from '../apisvc.ts';
import { hasTmux, terminal } from '../tmux.ts';

const complete = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  apisvc(['__complete', '--', ...words], { cwd: folder(), env });

const silent = (stdout: string): Ran => ({ code: 0, stdout, stderr: '' });

const context = (name: string, cluster = 'c'): object => ({ name, context: { cluster } });
const contexts = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'admin@one',
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  contexts: [context('admin@one'), context('admin@two'), context('arn:aws:eks:x:1:cluster/a', 'gone'), context('my $(id) one')],
};
const contextFile = (): string => join(filesOf({ config: JSON.stringify(contexts) }), 'config');

describe('apisvc __complete', () => {
  test('commands, formats, codes, files', async () => {
    expect(await complete(['reg'])).toEqual(
      silent('register\tApply the objects of the project in a safe order, wait until the API is available, and verify it\n:4\n'),
    );
    expect(await complete(['render', '-o', ''])).toEqual(
      silent('yaml\tYAML\njson\tJSON\nkustomize\tFiles with a kustomization.yaml\nhelm\tHelm chart\n:4\n'),
    );
    expect((await complete(['explain', 'cert/san'])).stdout).toBe(
      'cert/san-mismatch\tThe certificate from <endpoints> is not valid for <host>\n:4\n',
    );
    expect(await complete(['lint', ''])).toEqual(silent(':0\n'));
  });

  test('neither runs nor validates the command line', async () => {
    for (const words of [['init', '--yes', '--preset', 'keda', '--', ''], ['--help'], ['--version'], ['lint', '--nope', ''], ['-v']]) {
      const { code, stdout, stderr } = await complete(words);
      expect({ code, stderr, end: stdout.slice(stdout.lastIndexOf(':')) }).toEqual({
        code: 0,
        stderr: '',
        end: expect.stringMatching(/^:\d+\n$/),
      });
    }
  });

  test('the contexts of the kubeconfig, without a connection', async () => {
    const file = contextFile();
    const expected = silent('admin@one\thttps://127.0.0.1:1 (current)\nadmin@two\thttps://127.0.0.1:1\n:4\n');
    expect(await complete(['verify', '--context', 'adm'], { KUBECONFIG: file })).toEqual(expected);
    expect(await complete(['verify', '--kubeconfig', file, '--context=adm'])).toEqual(expected);
    expect(await complete(['verify', '--kubeconfig', '~/config', '--context=adm'], { HOME: join(file, '..') })).toEqual(expected);
  });
});

const service = { namespace: 'kube-system', name: 'metrics-server' };
const apiServices = [
  { metadata: { name: 'v1.apps' }, spec: {}, status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local' }] } },
  {
    metadata: { name: 'v1beta1.metrics.k8s.io' },
    spec: { service },
    status: { conditions: [{ type: 'Available', status: 'False', reason: 'Missing\nEndpoints' }] },
  },
  { metadata: { name: 'v1.\u001b[2J' }, spec: {} },
];

describe('APIServices of the cluster', () => {
  const file = (server: string): string => join(filesOf({ config: JSON.stringify(kubeconfig(server)) }), 'config');

  test('are listed, except those on the command line', async () => {
    const server = await serve((request, response) =>
      request.url.startsWith('/apis/apiregistration.k8s.io/v1/apiservices')
        ? answer(response, 200, { metadata: { resourceVersion: '1' }, items: apiServices })
        : answer(response, 404, {}),
    );
    const metrics = 'v1beta1.metrics.k8s.io\tService kube-system/metrics-server, not Available: Missing Endpoints';
    expect(await complete(['verify', '--kubeconfig', file(server), ''])).toEqual(silent(`v1.apps\tkube-apiserver\n${metrics}\n:4\n`));
    expect(await complete(['verify', '--kubeconfig', file(server), 'v1.apps', ''])).toEqual(silent(`${metrics}\n:4\n`));
  });

  test.each([
    ['denies access', 403, {}],
    ['sends an invalid response', 200, 'nonsense'],
  ])('a server that %s gives no completions and no error', async (_, status, body) => {
    const server = await serve((_, response) => answer(response, status, body));
    expect(await complete(['verify', '--kubeconfig', file(server), ''])).toEqual(silent(':4\n'));
  });

  test('a server that does not answer in two seconds, or an invalid kubeconfig, gives none either', async () => {
    const server = await serve(() => {});
    const begun = performance.now();
    expect(await complete(['verify', '--kubeconfig', file(server), ''])).toEqual(silent(':4\n'));
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await complete(['verify', '--kubeconfig', join(root, 'README.md'), ''])).toEqual(silent(':4\n'));
    expect(await complete(['verify', ''])).toEqual(silent(':4\n'));
  });
});

/** A directory with the binaries as npm installs them. */
function installed(): string {
  const dir = folder();
  symlinkSync(join(root, 'bin', 'apisvc.js'), join(dir, 'apisvc'));
  symlinkSync(join(root, 'bin', 'kubectl_complete-apisvc.js'), join(dir, 'kubectl_complete-apisvc'));
  return dir;
}

describe('kubectl', () => {
  test('gets the same completions from kubectl_complete-apisvc', async () => {
    const program = join(installed(), 'kubectl_complete-apisvc');
    expect(await apisvc(['ver'], { cwd: folder(), program })).toEqual(await complete(['ver']));
    expect(await apisvc([], { cwd: folder(), program })).toEqual(await complete(['']));
  });

  test('also through the wrapper of a package manager, which hides the name of the link', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'wrapper'), `#!/bin/sh\nexec node '${join(root, 'bin', 'kubectl_complete-apisvc.js')}' "$@"\n`, {
      mode: 0o755,
    });
    expect(await apisvc(['ver'], { cwd: folder(), program: join(dir, 'wrapper') })).toEqual(await complete(['ver']));
  });
});

describe('bash', () => {
  const script = `set -u
    eval "$(apisvc completion bash)"
    for COMP_LINE; do
      COMPREPLY=() COMP_POINT=\${#COMP_LINE}
      __apisvc_complete apisvc 2>/dev/null
      printf '%s|' \${COMPREPLY[@]+"\${COMPREPLY[@]}"}
      echo
    done`;

  /**
   * The candidates of bash for each line.
   * @param type - COMP_TYPE: 9 for TAB, 37 for menu completion
   */
  async function candidates(lines: readonly string[], type = 9): Promise<string[][]> {
    const env = { PATH: `${installed()}:${plainEnv.PATH}`, KUBECONFIG: contextFile(), COMP_TYPE: String(type) };
    const { stdout, stderr } = await apisvc(['--norc', '-c', script, 'bash', ...lines], { cwd: folder(), env, program: 'bash' });
    expect(stderr).toBe('');
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('|').filter((each) => each !== '')]));
  }

  test('several commands with truncated descriptions, one without', async () => {
    expect(await candidates(['apisvc re', 'apisvc   rend'])).toEqual([
      [
        'render    (Print all manifests of the project, with the caBundle filled in)',
        'register  (Apply the objects of the project in a safe order, wait until the AP…)',
      ],
      ['render'],
    ]);
    expect(await candidates(['apisvc re'], 37)).toEqual([['render', 'register']]);
  });

  test('candidates after the last word break of bash', async () => {
    const lines = ['render --output=j', 'verify --context admin@t', 'verify --context arn:aws:', 'verify --context=arn:aws:'];
    expect(await candidates(lines.map((line) => `apisvc ${line}`))).toEqual([
      ['json'],
      ['two'],
      ['eks:x:1:cluster/a'],
      ['eks:x:1:cluster/a'],
    ]);
  });

  test('special characters are quoted, and quoted words are parsed', async () => {
    const quoted = 'my\\ \\$\\(id\\)\\ one';
    const lines = ['my', "'my $", 'my\\ \\$'];
    expect(await candidates(lines.map((line) => `apisvc verify --context ${line}`))).toEqual([[quoted], [quoted], [quoted]]);
  });

  test('no command substitution is run', async () => {
    const dir = folder();
    expect(await candidates([`apisvc $(touch ${dir}/a) \`touch ${dir}/b\` `])).toEqual([[]]);
    expect(contents(dir)).toEqual([]);
  });

  test('TAB in an interactive bash: a word, a list, files, directories, no files', async (context) => {
    context.skip(!hasTmux, 'NOT TESTED: completion in an interactive bash (needs tmux)');
    const cwd = folder();
    mkdirSync(join(cwd, 'manifests'));
    writeFileSync(join(cwd, 'metrics.yaml'), '');
    const screen = terminal(`PATH='${installed()}':"$PATH" PS1='> ' exec bash --norc -i`, cwd);
    await screen.until(/^>$/m);
    screen.type('eval "$(apisvc completion bash)"; clear', 'Enter', 'apisvc expl', 'Tab');
    await screen.until(/apisvc explain$/m);
    screen.type('cert/s', 'Tab', 'Tab');
    await screen.until(/cert\/secret-missing +\(Secret/);
    screen.type('C-u', 'apisvc lint me', 'Tab');
    await screen.until(/apisvc lint metrics\.yaml/);
    screen.type('C-u', 'apisvc render -C m', 'Tab');
    await screen.until(/apisvc render -C manifests\//);
    screen.type('C-u', 'apisvc completion m', 'Tab', 'x');
    await screen.until(/apisvc completion mx/);
  });
});

test.each(['bash', 'zsh', 'fish'])('the script for %s calls __complete', async (shell) => {
  const { code, stdout, stderr } = await apisvc(['completion', shell], { cwd: folder() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('__complete --');
});
