import { expect } from 'vitest';
import type { Document } from 'yaml';
import { apisvc } from './commands.ts';
import { editConfiguration, emptyFolder } from './projects.ts';
import { cluster } from './provided.ts';

export interface SampleProject {
  /** Name of the project and of its namespace. The Service is named `api`. */
  readonly name: string;
  /**
   * `<group>/<version>`. The server itself serves only v1alpha1 and v1beta1 of wardle.example.com.
   */
  readonly api: string;
  /** Additional flags for init. */
  readonly flags?: readonly string[];
  readonly edit: (document: Document) => void;
}

/** Creates a project that runs the sample API server 0.37.2 in pods. @returns its directory */
export async function makeSampleProject({ name, api, flags = [], edit }: SampleProject): Promise<string> {
  const dir = emptyFolder();
  const identity = ['--name', name, '--namespace', name, '--api', api];
  const image = ['--image', 'docker.io/library/sample-apiserver:0.37.2'];
  const init = await apisvc(['init', dir, '--preset', 'sample-apiserver', ...identity, ...image, ...flags, '--yes']);
  expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  editConfiguration(dir, (document) => {
    // The server is built for 1.37 and waits for a version of the admission policies that 1.35 does
    // not serve.
    if (cluster.cell.kubernetes === '1.35')
      document.addIn(['spec', 'server', 'args'], '--disable-admission-plugins=MutatingAdmissionPolicy');
    edit(document);
  });
  return dir;
}
