import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, makeAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { expectInSync, type GitOpsTool, startGitOps } from '../harness/gitops-tool.ts';
import { verifyJson } from '../harness/projects.ts';
import { bundleManagersOf, expectAgreement, expectNoFailure, placesOf, rotateOk, rotateRefused, underLoad } from '../harness/rotations.ts';
import { isThorough } from '../harness/thorough.ts';

/**
 * Argo CD and Flux apply the manifests, and apisvc the Secret and the caBundle. The tools are
 * components/argocd-engine and components/flux-apply, which call the code of Argo CD and of Flux.
 * Both sync every second, also during a rotation, and also where they found no drift.
 */

/**
 * APISVC_THOROUGH=1 rotates ten times, at 100 requests per second, with every way of Argo CD to
 * compare and to apply.
 */
const { rounds, rate } = isThorough ? { rounds: 10, rate: 100 } : { rounds: 1, rate: 10 };

const argoCd = { program: 'argocd-engine', manager: 'argocd-controller' } as const;
const serverSide = '--server-side-apply';
const tools = [
  { name: 'argocd', words: 'Argo CD', ...argoCd, flags: [] },
  { name: 'flux', words: 'Flux', program: 'flux-apply', manager: 'kustomize-controller', flags: [] },
  ...(isThorough
    ? [
        { name: 'argocd-server', words: 'Argo CD with ServerSideApply=true', ...argoCd, flags: [serverSide] },
        { name: 'argocd-diff', words: 'Argo CD with ServerSideDiff=true too', ...argoCd, flags: [serverSide, '--server-side-diff'] },
      ]
    : []),
] as const;

describe.each(tools)('$words', ({ name, program, flags, manager }) => {
  let project: AnyApiProject;
  let git: string;
  /** What Git could hold since before the first rotation. */
  let older: string;
  let tool: GitOpsTool;

  const ok = async (args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await apisvc(args);
    expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, output: '' });
    return stdout;
  };
  /** What a commit does: the tool reads the folder for each sync. */
  const render = (caBundle: 'include' | 'omit', folder = git) =>
    ok(['render', '-C', project.dir, '--output-dir', folder, '--secrets', 'omit', '--ca-bundle', caBundle]);
  const registerParts = () => ok(['register', '-C', project.dir, '--only', 'secrets,apiservices', '--timeout', '80s']);
  const bundleManagers = () => bundleManagersOf(project.apiService);

  beforeAll(async () => {
    project = await makeAnyApiProject({ name, replicas: 1 });
    [git, older] = [join(project.dir, 'manifests'), join(project.dir, 'older')];
    await render('omit');
    tool = startGitOps({ program, flags, manifests: git });
  });
  /** Argo CD reads the sync options from the Application, which is in Git too. */
  const restart = async (options: readonly string[]) => {
    await tool.stop();
    tool = startGitOps({ program, flags: options, manifests: git });
  };
  afterAll(async () => {
    await tool.stop();
    await removeAnyApiProject(project, name);
  });

  test('applies the manifests, and apisvc what they lack', async () => {
    const { error, results } = await tool.sync();
    expect(error).toBeUndefined();
    expect(results?.map(({ resource }) => resource.split('/')[0])).not.toContain('Secret');
    expect(await registerParts()).toMatch(/^2 objects: 1 created, 1 configured\.\n/);
    expectInSync([await tool.sync()]);
    expect(await bundleManagers()).toEqual(['apisvc']);
    await expectAgreement(project, name);
  });

  test('takes turns with rotate --ca, and no request fails', async () => {
    await render('include', older);
    const first = tool.syncs.length;
    const seen = new Set((await placesOf(project, name)).bundle);
    const report = await underLoad(
      project,
      async () => {
        for (let round = 0; round < rounds; round += 1) {
          await rotateOk(project, '--ca', '--soak', '0s', '--nudge');
          await tool.sync();
          const { ca } = await expectAgreement(project, name);
          for (const each of ca) seen.add(each);
        }
      },
      rate,
    );
    console.log({ name, rounds, syncs: tool.syncs.length - first, requests: report.requests, failures: report.failures });
    expectNoFailure(report);
    expectInSync(tool.syncs.slice(first));
    expect(seen.size).toBe(rounds + 1);
  });

  /** What verify, status and rotate --ca say of an API that works. */
  const expectOwnedByTool = async () => {
    const { exitCode, diagnosis } = await verifyJson(['-C', project.dir]);
    const evidence = [expect.stringContaining(`spec.caBundle: manager ${manager} `)];
    expect({ exitCode, findings: diagnosis.apis[0]?.findings }).toMatchObject({
      exitCode: 0,
      findings: [{ code: 'registration/bundle-manager', evidence }],
    });
    expect(await ok(['status', '-C', project.dir])).toContain('registration/bundle-manager');
    const before = await placesOf(project, name);
    const { exitCode: refused, errors } = await rotateRefused(project, '--ca', '--soak', '0s', '--nudge');
    expect({ refused, errors }).toEqual({ refused: 1, errors: expect.stringContaining(`.spec.caBundle: conflict with "${manager}"`) });
    expect(errors).toContain('nothing in the cluster was changed');
    expect({ ...(await placesOf(project, name)), pending: false }).toEqual(before);
    await rotateOk(project, '--abort', '--soak', '0s');
  };

  test('writes an old caBundle in Git without a conflict, and a new one, which rotate --ca refuses to change', async () => {
    const { ca } = await expectAgreement(project, name);
    await render('include');
    await tool.sync();
    // Argo CD would restore the field. Flux becomes a manager only when it changes the value.
    if (program === 'argocd-engine') await expectOwnedByTool();
    else expect(await verifyJson(['-C', project.dir])).toMatchObject({ exitCode: 0, diagnosis: { apis: [{ findings: [] }] } });

    cpSync(older, git, { recursive: true });
    const { error, phase } = await tool.sync();
    expect({ error, phase }).toEqual({ error: undefined, phase: program === 'argocd-engine' ? 'Succeeded' : undefined });
    expect((await placesOf(project, name)).bundle).not.toEqual(ca);
    expect(await bundleManagers()).toEqual([manager]);
    const { exitCode, diagnosis } = await verifyJson(['-C', project.dir]);
    const codes = diagnosis.apis[0]?.findings.map(({ code }) => code);
    expect({ exitCode, codes }).toEqual({ exitCode: 1, codes: ['cert/unknown-authority', 'registration/bundle-manager'] });

    await render('include');
    await tool.sync();
    expect((await placesOf(project, name)).bundle).toEqual(ca);
    await expectOwnedByTool();
  });

  test('gives up a caBundle that is no longer in Git, and no request fails', async () => {
    const report = await underLoad(project, async () => {
      await registerParts();
      if (name === 'argocd') await restart([serverSide]);
      await render('omit');
      await tool.sync();
      expectInSync([await tool.sync()]);
      // Flux does not apply an object that stays the same, so that it keeps the field.
      expect((await bundleManagers()).sort()).toEqual(program === 'flux-apply' ? ['apisvc', manager] : ['apisvc']);
      await rotateOk(project, '--ca', '--soak', '0s', '--nudge', ...(program === 'flux-apply' ? ['--force-conflicts'] : []));
      expectInSync([await tool.sync()]);
      expect(await bundleManagers()).toEqual(['apisvc']);
      await expectAgreement(project, name);
    });
    expectNoFailure(report);
    expect(await ok(['verify', '-C', project.dir])).not.toContain('registration/bundle-manager');
  });

  if (name === 'argocd') {
    test('without ServerSideApply=true deletes a caBundle that is no longer in Git', async () => {
      await restart([]);
      await render('include');
      await tool.sync();
      await render('omit');
      expect((await tool.sync()).error).toBeUndefined();
      expect(await bundleManagers()).toEqual([]);
      await registerParts();
      expectInSync([await tool.sync()]);
      await expectAgreement(project, name);
    });
  }
});
