import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';

const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The URL of the repository. It is written in package.json, and every other use must agree. */
export const repositoryUrl = /** @type {string} */ (repository.url).replace(/^git\+|\.git$/g, '');
/** Its owner and name on GitHub. */
export const repositoryName = new URL(repositoryUrl).pathname.slice(1);
