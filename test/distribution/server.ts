import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll } from 'vitest';
import { repositoryName } from '../../scripts/release/repository.mjs';

/**
 * Serves the files of a release until the end of the specs, at the path of a repository on GitHub.
 * @returns the URL of the repository
 */
export async function serveRelease(folder: string, version: string): Promise<string> {
  const server = createServer((request, response) => {
    const file = join(folder, basename(request.url ?? ''));
    if (!request.url?.startsWith(`/${repositoryName}/releases/download/v${version}/`) || !existsSync(file)) response.writeHead(404).end();
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/${repositoryName}`;
}
