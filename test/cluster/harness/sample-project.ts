import { expect } from 'vitest';
import type { Document } from 'yaml';
import { apisvc } from './commands.ts';
import { editConfiguration, emptyFolder } from './projects.ts';
import { cluster } from './provided.ts';

export interface SampleProject {
  /** Of the project and of its namespace; the Service is `api`. */
  readonly name: string;
  /** `<group>/<version>`; the server itself knows v1alpha1 and v1beta1 of wardle.example.com alone. */
  readonly api: string;
  /** More flags of init. */
  readonly flags?: readonly string[];
  readonly edit: (document: Document) => void;
}

/** A project for the sample API server 0.37.2 in pods. @returns its directory */
export async function makeSampleProject({ name, api, flags = [], edit }: SampleProject): Promise<string> {
  const dir = emptyFolder();
  const identity = ['--name', name, '--namespace', name, '--api', api];
  const image = ['--image', 'docker.io/library/sample-apiserver:0.37.2'];
  const init = await apisvc(['init', dir, '--preset', 'sample-apiserver', ...identity, ...image, ...flags, '--yes']);
  expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  editConfiguration(dir, (document) => {
    // Built for 1.37, it waits for admission policies in a version that 1.35 does not serve.
    if (cluster.cell.kubernetes === '1.35')
      document.addIn(['spec', 'server', 'args'], '--disable-admission-plugins=MutatingAdmissionPolicy');
    edit(document);
  });
  return dir;
}
