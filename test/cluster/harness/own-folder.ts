import { lstat } from 'node:fs/promises';

/**
 * Whether the current user owns a folder and no other user can write to it. In a shared folder such
 * as /tmp, the name alone proves nothing.
 */
export async function isOwnFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}
