import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The licences of the packages in the bundle. They require that every copy includes them.
 * @param {import('esbuild').Metafile} metafile
 * @returns {string}
 */
export function thirdPartyNotices(metafile) {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap(
      (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+(?:\/node_modules\/(?:@[^/]+\/)?[^/]+)*)\//.exec(path)?.[1] ?? [],
    ),
  );
  return [...packages].sort().map(notice).join('\n\n----\n\n');
}

/** @param {string} name */
function notice(name) {
  const dir = join('node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  const files = readdirSync(dir).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(dir, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, ...texts].join('\n\n');
}
