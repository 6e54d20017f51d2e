import { lstat } from 'node:fs/promises';

/** Where others may write too, such as the folder for temporary files, a name proves nothing: true for a folder that we made, and that nobody else may write to. */
export async function isOwnFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
}
